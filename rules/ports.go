// Package rules evaluates rule groups: when a rule is due, what its result
// means for its alerts and series, and how a running group hands its memory to
// its successor.
//
// A Group is fixed for life. What it remembers between evaluations is Memory, a
// value that its goroutine is given by start and leaves to retire when it ends;
// nothing a group holds refers to another group. The package decides; what it needs
// from the world are the interfaces of this file.
package rules

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
)

// ErrRejected is wrapped by a Querier's error when the datasource understood
// the request and refused it (HTTP 400 or 422), so that asking again is useless.
var ErrRejected = errors.New("rejected by the datasource")

// ErrQueueFull is wrapped by an Appender's error when it has no room for a batch.
var ErrQueueFull = errors.New("queue is full")

// Query is one instant query.
type Query struct {
	Type     config.Type
	Expr     string
	Time     time.Time     // evaluation time; whole seconds unless the group's interval is not
	Interval time.Duration // of the group
	Params   map[string][]string
	Headers  []config.Pair
	Tenant   config.Tenant // whose data is asked for, in a cluster
	Debug    bool          // log the request and its answer
}

// Sample is one element of an instant vector.
type Sample struct {
	Labels labels.Labels // with the metric name, if any
	T      int64         // milliseconds since the Unix epoch, as answered
	V      float64
}

// Result is the answer to a Query.
type Result struct {
	Samples       []Sample // in the order of the answer
	SeriesFetched int      // series the datasource read; -1 when it does not say
	Partial       bool     // the datasource could not read everything it holds
}

// Querier asks the datasource.
type Querier interface {
	// Query returns the answer, or an error that names the endpoint and wraps
	// ErrRejected where that applies. It honours ctx and may be called from many
	// goroutines.
	Query(ctx context.Context, q Query) (Result, error)
	// Request returns q as a command line for a person to repeat it, without
	// secrets.
	Request(q Query) string
}

// RangeQuery asks for the results that a query would have had at several times.
type RangeQuery struct {
	Query    // its Time is not used
	From, To time.Time
	Step     time.Duration // between From and To, both included
}

// Track is the samples of one label set, in order of time.
type Track struct {
	Labels labels.Labels // with the metric name, if any
	Points []Point
}

// Point is one sample of a Track.
type Point struct {
	T int64 // milliseconds since the Unix epoch
	V float64
}

// RangeQuerier asks the datasource for past results.
type RangeQuerier interface {
	// QueryRange returns the label sets in the order of the answer; one that has no
	// sample at some time has no Point there. Errors are as those of a Querier. It
	// honours ctx and may be called from many goroutines.
	QueryRange(ctx context.Context, q RangeQuery) ([]Track, error)
}

// Alert is one alert as an Alertmanager is to see it.
type Alert struct {
	Labels       labels.Labels // the identity
	Annotations  labels.Labels
	StartsAt     time.Time
	EndsAt       time.Time // in the future while it fires
	GeneratorURL Link
	Resolved     bool
	Again        bool // it was told before, and nothing has changed since
}

// Notification is the alerts one evaluation of a rule has to tell.
type Notification struct {
	Group   config.Key
	Headers []config.Pair // notifier_headers of the group
	Alerts  []Alert
}

// Notifier takes alerts for delivery.
type Notifier interface {
	// Notify accepts n for delivery to every Alertmanager and never waits for the
	// network. It keeps n.Alerts; the caller must not change them afterwards.
	Notify(n Notification) error
}

// Appender takes samples for remote write.
type Appender interface {
	// Append takes the whole batch, or returns an error and keeps none of it. It
	// waits for room at most as long as ctx allows, and returns an error that
	// wraps ErrQueueFull when there is none. The caller must not change batch
	// afterwards.
	Append(ctx context.Context, batch []Series) error
	// Flush returns when storage has accepted, or finally refused, everything
	// appended before the call. It returns ctx's error if that comes first.
	Flush(ctx context.Context) error
}

// TemplateCompiler parses the templates of labels and annotations.
type TemplateCompiler interface {
	// CompileLabels and CompileAnnotations parse the texts of one rule. Every
	// text that does not parse is reported, joined, with the name it belongs to;
	// the Template is usable all the same and expands such a text to its error.
	CompileLabels(texts []config.Pair) (Template, error)
	CompileAnnotations(texts []config.Pair) (Template, error)
	// Digest is the same for compilers whose templates expand every text alike.
	Digest() [sha256.Size]byte
}

// Template is the parsed texts of one rule's labels or annotations. It may be
// used from many goroutines.
type Template interface {
	// Expand returns one value per text, in the order given to the compiler. A
	// text that fails expands to its error, and the errors are returned joined.
	Expand(ctx context.Context, d *TemplateData) ([]string, error)
	// Uses tells which of the data the texts can depend on, so that values may be
	// kept while those are the same. Labels are not among them.
	Uses() TemplateUse
}

// TemplateUse is a set of what a Template's values depend on besides labels.
type TemplateUse uint8

// The members of a TemplateUse.
const (
	UsesValue    TemplateUse = 1 << iota // the sample value
	UsesActiveAt                         // when the alert became active
	UsesPartial                          // whether the answer was partial
	UsesWorld                            // the clock or another query: never the same
)

// TemplateData is what a template of one alert sees.
type TemplateData struct {
	Labels   TemplateLabels
	Value    float64
	Type     config.Type
	Expr     string
	Interval time.Duration
	For      time.Duration
	ActiveAt time.Time
	AlertID  uint64
	GroupID  uint64
	Partial  bool
	// Query runs another query at the time of the evaluation. Nil where a
	// template may not.
	Query func(ctx context.Context, expr string) ([]Sample, error)
}

// TemplateLabels is the labels a template sees: those of the result and, of the
// names the rule adds, alertname and alertgroup among them, those which the
// result lacks.
type TemplateLabels struct {
	Result labels.Labels
	Alert  labels.Labels // while labels are being templated, those of the tenant only
	Added  []config.Pair // the labels of the rule, as far as Alert has them
}

// Get returns the value of name, or "".
func (l *TemplateLabels) Get(name string) string {
	if v := l.Result.Get(name); v != "" {
		return v
	}
	if l.adds(name) {
		return l.Alert.Get(name)
	}
	return ""
}

func (l *TemplateLabels) adds(name string) bool {
	if name == alertnameLabel || name == alertgroupLabel {
		return true
	}
	return slices.ContainsFunc(l.Added, func(p config.Pair) bool { return p.Name == name })
}

// Range calls f with each label that Get would find, each once: those of the
// result in order, then those added.
func (l *TemplateLabels) Range(f func(labels.Label)) {
	l.Result.Range(func(x labels.Label) {
		if x.Value != "" {
			f(x)
		}
	})
	l.Alert.Range(func(x labels.Label) {
		if l.adds(x.Name) && l.Result.Get(x.Name) == "" {
			f(x)
		}
	})
}

// Map returns the labels as a new map.
func (l *TemplateLabels) Map() map[string]string {
	m := make(map[string]string, l.Result.Len()+len(l.Added)+2)
	l.Range(func(x labels.Label) { m[x.Name] = x.Value })
	return m
}
