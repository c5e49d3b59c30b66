package web

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
	"tocsin/rules"
)

func itoa(n int) string { return strconv.Itoa(n) }

// ruleRow is a rule as lists show it.
type ruleRow struct {
	GroupID, ID      uint64
	Name, Kind, Expr string
	State            string
	Labels           []config.Pair
	For, KeepFiring  string
	LastError        string
	Last             when
	Took             string
	Gave             string // how many samples
	Series           string
	Pending, Firing  int
	Group, File      string
	Line             int
}

func (q pageRequest) ruleRow(s *rules.Snapshot, r *rules.RuleSnapshot) ruleRow {
	last, evaluated := r.History.Last()
	row := ruleRow{
		GroupID: s.ID, ID: r.ID,
		Name: r.Rule.Name, Kind: r.Rule.Kind.String(), Expr: strings.TrimSpace(r.Rule.Expr),
		State:  stateOf(r, true).String(),
		Labels: r.Labels,
		For:    optional(r.Rule.For), KeepFiring: optional(r.Rule.KeepFiringFor),
		LastError: last.Error,
		Last:      q.when(last.Began),
		Gave:      plural(last.Samples, "sample"),
		Pending:   r.Pending(), Firing: r.Firing(),
		Group: s.Group.Key.Name, File: s.Group.Key.File, Line: r.Rule.Line,
	}
	if evaluated {
		row.Took = short(last.Duration)
		row.Series = seriesText(last.SeriesFetched)
	} else {
		row.State = stateUnknown
	}
	return row
}

// stateUnknown is what pages call the state of a rule before its first evaluation.
const stateUnknown = "unknown"

func evaluated(r *rules.RuleSnapshot) bool {
	_, ok := r.History.Last()
	return ok
}

func seriesText(n int) string {
	if n < 0 {
		return "unknown"
	}
	return itoa(int(n))
}

// alertRow is an alert as lists show it.
type alertRow struct {
	GroupID, RuleID, ID uint64
	Name, State, Value  string
	Group, File         string
	Labels              []config.Pair
	Summary             string
	Since               when
	Outlook             outlook
	Stabilizing         bool
}

// alertTable is a list of alerts with what leads to their pages.
type alertTable struct {
	Base   string
	Alerts []alertRow
}

func (q pageRequest) alertRow(s *rules.Snapshot, r *rules.RuleSnapshot, a *rules.Instance) alertRow {
	return alertRow{
		GroupID: s.ID, RuleID: r.ID, ID: a.ID,
		Name: r.Rule.Name, State: a.State.String(),
		Value: strconv.FormatFloat(a.Value, 'g', -1, 64),
		Group: s.Group.Key.Name, File: s.Group.Key.File,
		Labels:      ownLabels(a.Labels),
		Summary:     summary(a.Annotations),
		Since:       q.when(a.ActiveAt),
		Outlook:     q.outlook(r.Rule, a),
		Stabilizing: a.State == rules.Firing && a.Stabilizing(),
	}
}

// ownLabels returns the labels that tell an alert from others of its rule; the
// name of the rule and of its group stand beside them anyway.
func ownLabels(l labels.Labels) []config.Pair {
	pairs := make([]config.Pair, 0, l.Len())
	l.Range(func(l labels.Label) {
		if l.Name != "alertname" && l.Name != "alertgroup" {
			pairs = append(pairs, config.Pair{Name: l.Name, Value: l.Value})
		}
	})
	return pairs
}

func allLabels(l labels.Labels) []config.Pair {
	pairs := make([]config.Pair, 0, l.Len())
	l.Range(func(l labels.Label) { pairs = append(pairs, config.Pair{Name: l.Name, Value: l.Value}) })
	return pairs
}

// summary returns the annotation that says most in one line.
func summary(annotations labels.Labels) string {
	for _, name := range []string{"summary", "message", "description"} {
		if s := annotations.Get(name); s != "" {
			return s
		}
	}
	return ""
}

// annotation is an annotation that may be a link, as those of runbooks are.
type annotation struct {
	Name, Value string
	IsLink      bool
}

func annotationsOf(l labels.Labels) []annotation {
	list := make([]annotation, 0, l.Len())
	l.Range(func(l labels.Label) {
		list = append(list, annotation{l.Name, l.Value, isLink(l.Value)})
	})
	return list
}

// isLink reports whether s is a web address and nothing else.
func isLink(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// pager is the way through a long list.
type pager struct {
	Page, Pages int
	Prev, Next  string // queries; "" at the ends
}

// paged returns the bounds of the page of a list of n entries that the request
// asks for, and the way to the others. Pages that do not exist count as the last
// or first.
func (q pageRequest) paged(n, size int) (from, to int, p pager) {
	p.Pages = max(1, (n+size-1)/size)
	p.Page, _ = strconv.Atoi(q.form.Get("page_num"))
	p.Page = min(max(p.Page, 1), p.Pages)
	if p.Page > 1 {
		p.Prev = q.withPage(p.Page - 1)
	}
	if p.Page < p.Pages {
		p.Next = q.withPage(p.Page + 1)
	}
	from = (p.Page - 1) * size
	return from, min(from+size, n), p
}
