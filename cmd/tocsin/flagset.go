package main

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"tocsin/internal/httpx"
)

// topic is a chapter of the help.
type topic struct{ key, title string }

// The topics, in the order of the help.
var (
	topicRules       = topic{"rules", "Rules"}
	topicDatasource  = topic{"datasource", "Datasource"}
	topicRemoteWrite = topic{"remoteWrite", "Remote write"}
	topicRemoteRead  = topic{"remoteRead", "Remote read"}
	topicStorage     = topic{"storage", "Storage"}
	topicNotifier    = topic{"notifier", "Notifier"}
	topicTenants     = topic{"tenants", "Tenants"}
	topicReplay      = topic{"replay", "Replay"}
	topicExternal    = topic{"external", "Labels and links"}
	topicHTTP        = topic{"http", "HTTP server"}
	topicMetrics     = topic{"metrics", "Metrics of tocsin"}
	topicLogging     = topic{"logging", "Logging"}
	topicGeneral     = topic{"general", "General"}
	topicLicence     = topic{"licence", "Licence"}
	topicUnused      = topic{"unused", "Not used"}
)

// entry is one flag with what the help knows of it beyond pflag.
type entry struct {
	*pflag.Flag
	topic      topic
	connection bool   // about authentication, TLS or headers: left out of the short help
	secret     bool   // the value is never shown
	command    bool   // asks for something to be printed instead of a run
	defaultDoc string // what to say of a default that depends on the machine
}

// flagSet defines flags. They are found by name in pflag's set and listed in
// order of definition by entries.
type flagSet struct {
	set     *pflag.FlagSet
	entries []*entry

	// What the flags defined next have in common.
	topic      topic
	connection bool
}

func newFlagSet() *flagSet {
	return &flagSet{set: pflag.NewFlagSet("tocsin", pflag.ContinueOnError)}
}

// add defines a flag; whoever needs to say more of it changes the entry.
func (f *flagSet) add(value pflag.Value, name, help string) *entry {
	e := &entry{
		Flag:       f.set.VarPF(value, name, "", help),
		topic:      f.topic,
		connection: f.connection,
	}
	f.entries = append(f.entries, e)
	return e
}

// addSwitch defines a flag that means true when it is given without a value.
func (f *flagSet) addSwitch(value pflag.Value, name, help string) *entry {
	e := f.add(value, name, help)
	e.NoOptDefVal = "true"
	return e
}

func (f *flagSet) string(p *string, name, unset, help string) *entry {
	*p = unset
	return f.add(&scalar[string]{kind: stringKind(), target: p}, name, help)
}

func (f *flagSet) bool(p *bool, name string, unset bool, help string) *entry {
	*p = unset
	return f.addSwitch(&scalar[bool]{kind: boolKind(), target: p}, name, help)
}

func (f *flagSet) int(p *int, name string, unset int, help string) *entry {
	*p = unset
	return f.add(&scalar[int]{kind: intKind(), target: p}, name, help)
}

func (f *flagSet) duration(p *time.Duration, name string, unset time.Duration, help string) *entry {
	*p = unset
	return f.add(&scalar[time.Duration]{kind: durationKind(), target: p}, name, help)
}

func (f *flagSet) size(p *int64, name string, unset int64, help string) *entry {
	*p = unset
	return f.add(&scalar[int64]{kind: sizeKind(), target: p}, name, help)
}

func (f *flagSet) float(p *float64, name string, unset float64, help string) *entry {
	*p = unset
	return f.add(&scalar[float64]{kind: floatKind(), target: p}, name, help)
}

// secret defines a flag whose value is never shown.
func (f *flagSet) secret(p *httpx.Secret, name, help string) *entry {
	e := f.string((*string)(p), name, "", help)
	e.secret = true
	return e
}

func (f *flagSet) strings(name, help string) *list[string] {
	l := &list[string]{kind: stringKind()}
	f.add(l, name, help)
	return l
}

func (f *flagSet) bools(name, help string) *list[bool] {
	l := &list[bool]{kind: boolKind()}
	f.addSwitch(l, name, help)
	return l
}

func (f *flagSet) durations(name string, unset time.Duration, help string) *list[time.Duration] {
	l := &list[time.Duration]{kind: durationKind(), unset: unset}
	f.add(l, name, help).defaultDoc = formatDuration(unset)
	return l
}

// entry returns the flag of that name, or nil.
func (f *flagSet) entry(name string) *entry {
	i := slices.IndexFunc(f.entries, func(e *entry) bool { return e.Name == name })
	if i < 0 {
		return nil
	}
	return f.entries[i]
}

// sorted returns the entries by name.
func (f *flagSet) sorted() []*entry {
	return slices.SortedFunc(slices.Values(f.entries), func(a, b *entry) int {
		return strings.Compare(a.Name, b.Name)
	})
}

// shownDefault is the default for people: empty if there is nothing to tell.
func (e *entry) shownDefault() string {
	if e.defaultDoc != "" {
		return e.defaultDoc
	}
	switch e.DefValue {
	case "", "0", "0s", "false":
		return ""
	}
	if d, err := time.ParseDuration(e.DefValue); err == nil {
		return formatDuration(d)
	}
	return e.DefValue
}

// formatDuration writes d without the zero units of time.Duration's "1h0m0s".
func formatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
