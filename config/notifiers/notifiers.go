// Package notifiers reads the notifier file: which Alertmanagers there are, or how
// they are discovered, how to reach them, and how targets and alerts are relabeled
// on their way.
//
// What it returns is plain data that is never modified after Load; Rules may be
// applied from many goroutines. It discovers nothing and opens no file but the
// notifier file itself.
package notifiers

import (
	"path"
	"time"

	"tocsin/config"
	"tocsin/internal/httpx"
	"tocsin/internal/relabel"
)

// Kind says how the Alertmanagers of a block are found, in the words of vmalert's
// API.
type Kind string

// The kinds of block.
const (
	StaticKind Kind = "static"
	ConsulKind Kind = "consulSD"
	DNSKind    Kind = "DNSSD"
	FileKind   Kind = "fileSD"
	HTTPKind   Kind = "httpSD"
)

// Config is a notifier file as written, with defaults applied.
type Config struct {
	// Blocks are ordered by kind, those of a kind as written.
	Blocks []Block
	// AlertRelabel is applied to every alert, once, before that of a block. Nil
	// keeps alerts as they are.
	AlertRelabel *relabel.Rules
	// Fingerprint is of the content, variables replaced: two files with the same
	// one are the same configuration.
	Fingerprint config.Hash
}

// Block is one entry of a list such as static_configs. One of the pointers that
// Kind names is set.
type Block struct {
	Kind Kind
	Line int // in the file, from 1

	Static *Static
	Consul *Consul
	DNS    *DNS
	File   *File
	HTTP   *HTTP

	Alertmanager Alertmanager
	// Relabel makes targets of what is found: the file's own rules, then those of
	// the block. Nil keeps labels as they are.
	Relabel *relabel.Rules
	// AlertRelabel is applied to alerts for the targets of this block, after
	// Config.AlertRelabel. Nil keeps alerts as they are.
	AlertRelabel *relabel.Rules
}

// Alertmanager says how the targets of a block are spoken to.
type Alertmanager struct {
	Scheme     string // http or https, unless a target or relabeling says otherwise
	PathPrefix string // as written
	Timeout    time.Duration
	// Client has neither a metrics prefix nor limits on connections.
	Client httpx.ClientOptions
}

// alertsPath is where an Alertmanager takes alerts.
const alertsPath = "/api/v2/alerts"

// AlertsPath returns the path to which alerts are posted, unless a target or
// relabeling says otherwise.
func (a *Alertmanager) AlertsPath() string {
	return path.Join("/", a.PathPrefix, alertsPath)
}

// Static is targets that are written down.
type Static struct {
	Targets []string      // host, host:port or URL
	Labels  []config.Pair // of every target, sorted by name
}

// Consul is targets that a Consul server knows as instances of services.
type Consul struct {
	URL    string // of the server: scheme, host, and prefix of the path if any
	Client httpx.ClientOptions
	Query  ConsulQuery

	TagSeparator string
	Refresh      time.Duration // 0: the file does not say
}

// ConsulQuery narrows what a Consul server is asked for. Empty fields do not.
type ConsulQuery struct {
	Datacenter string // "" is the one of the server's agent
	Namespace  string
	Partition  string
	Services   []string
	Tags       []string // an instance must have all
	NodeMeta   []config.Pair
	Filter     string // of services, in Consul's language
	// HealthFilter is of instances, in Consul's language.
	HealthFilter string
	AllowStale   bool
}

// RecordType is a type of DNS record.
type RecordType string

// The types of record that name Alertmanagers.
const (
	A    RecordType = "A"
	AAAA RecordType = "AAAA"
	SRV  RecordType = "SRV"
	MX   RecordType = "MX"
)

// DNS is targets that records of the domain name system name.
type DNS struct {
	Names   []string
	Type    RecordType
	Port    int           // of the targets; not used with SRV
	Refresh time.Duration // 0: the file does not say
}

// File is targets listed in files of their own.
type File struct {
	// Patterns are paths, of which the last element may have a *. Relative ones
	// have been resolved against the folder of the notifier file.
	Patterns []string
	Refresh  time.Duration // 0: the file does not say
}

// HTTP is targets that a server lists.
type HTTP struct {
	URL     string
	Client  httpx.ClientOptions
	Refresh time.Duration // 0: the file does not say
}
