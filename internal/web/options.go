package web

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/internal/httpx"
	"tocsin/rules"
)

// Options is what a Server is made of. Functions are called from many goroutines
// at once; those that are nil stand for nothing to show.
type Options struct {
	State   State
	Control Control
	Auth    Auth

	// Flags are shown by /flags, secrets already hidden, in this order.
	Flags []Flag
	// PathPrefix is in front of every path; "" is none.
	PathPrefix string
	// Version is the program's version.
	Version string
	// PrometheusErrors gives errors below /api/v1 the form that Prometheus gives
	// them, where errorType is a word. Otherwise it is a number, as vmalert's.
	PrometheusErrors bool
	// DisableCompression sends every answer as it is.
	DisableCompression bool
	// DisableCORS leaves out of the answers to OPTIONS what allows other sites to ask.
	DisableCORS bool

	// Metrics receives the counters of requests; nil keeps them private.
	Metrics *metrics.Set
	// Log is told of answers that could not be made; nil discards.
	Log *slog.Logger
}

// State is what a Server shows.
type State struct {
	// Groups returns the groups as they are now, in configuration order. It must
	// be cheap and must not wait.
	Groups func() []*rules.Snapshot
	// Link returns the source of an alert.
	Link rules.Linker
	// RequestLine returns a query as a command line, without secrets.
	RequestLine func(rules.Query) string
	// Notifiers returns who is told of alerts, in the order to show.
	Notifiers func() []NotifierGroup
	// Waiting returns how many alerts wait because there is no notifier.
	Waiting func() int
	// Deliveries returns how far the news of the alert with these labels has come to
	// each Alertmanager.
	Deliveries func(labels.Labels) []Delivery
}

// Control is what can be asked of the daemon.
type Control struct {
	// Reload loads the configuration again and returns when that is done. Its
	// error has one line for each problem and no secrets. The context it gets does
	// not end with the request: a reload that began is completed.
	Reload func(context.Context) error
	// Ready returns why the daemon is not ready, or nil.
	Ready func() error
	// Stale returns why what runs is not what the configuration says by now, with
	// one line for each problem and no secrets; nil if it is.
	Stale func() error
	// Plan loads the configuration and returns what a reload would do now, without
	// doing it. An error has no secrets.
	Plan func(context.Context) (Plan, error)
	// Reloads returns the last loads of the configuration, the latest first.
	Reloads func() []Reload
	// WriteMetrics writes all metrics in the Prometheus text format.
	WriteMetrics func(io.Writer)
}

// Plan is what a reload would do.
type Plan struct {
	Change   rules.Change
	Problems []string // a line each, without secrets; the files that have them keep what they had
}

// Reload is one load of the configuration.
type Reload struct {
	At       time.Time     // when it began
	Trigger  string        // start, signal, http or check
	Took     time.Duration // until the new groups ran, or the load was given up
	Totals   rules.Totals
	Refused  bool     // nothing was put in force, because of the problems
	Problems []string // a line each, without secrets
}

// Auth says who may ask. An empty Username admits everyone; a key, where one is
// set, replaces the user and password for its paths.
type Auth struct {
	Username string
	Password httpx.Secret

	ReloadKey  httpx.Secret // of /-/reload
	MetricsKey httpx.Secret // of /metrics
	FlagsKey   httpx.Secret // of /flags
	PprofKey   httpx.Secret // of /debug/pprof/
}

// Flag is one command-line flag with the value in force.
type Flag struct {
	Name, Value string
	IsSet       bool // given, by command line or environment
}

// NotifierGroup is the Alertmanagers that were found in one way.
type NotifierGroup struct {
	Kind    string // static, DNSSD, consulSD, ...
	Targets []NotifierTarget
	// LastError is why nobody can be found in this way now, without secrets; "" if
	// that is not so.
	LastError string
}

// NotifierTarget is one Alertmanager.
type NotifierTarget struct {
	Address     string // where alerts are posted, without credentials
	Labels      map[string]string
	LastError   string    // of the last attempt; "" when it went well
	LastSuccess time.Time // zero before the first
	Queued      int       // alerts of which the latest state is not yet accepted
	Oldest      time.Time // since when the one that waits longest does; zero if none does
}

var errNoReload = errors.New("reloading is not available")

func (o Options) withDefaults() Options {
	if o.State.Groups == nil {
		o.State.Groups = func() []*rules.Snapshot { return nil }
	}
	if o.State.Notifiers == nil {
		o.State.Notifiers = func() []NotifierGroup { return nil }
	}
	if o.State.Waiting == nil {
		o.State.Waiting = func() int { return 0 }
	}
	if o.State.Deliveries == nil {
		o.State.Deliveries = func(labels.Labels) []Delivery { return nil }
	}
	if o.Control.Reload == nil {
		o.Control.Reload = func(context.Context) error { return errNoReload }
	}
	if o.Control.Ready == nil {
		o.Control.Ready = func() error { return nil }
	}
	if o.Control.Plan == nil {
		o.Control.Plan = func(context.Context) (Plan, error) { return Plan{}, errNoReload }
	}
	if o.Control.Reloads == nil {
		o.Control.Reloads = func() []Reload { return nil }
	}
	if o.Control.Stale == nil {
		o.Control.Stale = func() error { return nil }
	}
	if o.Metrics == nil {
		o.Metrics = metrics.NewSet()
	}
	if o.Control.WriteMetrics == nil {
		o.Control.WriteMetrics = o.Metrics.WritePrometheus
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}
