package rules_test

import (
	"bytes"
	"context"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// world is a manager with fakes all around. It lives in a synctest bubble, where
// time starts at midnight of 2000-01-01 and passes only while everybody sleeps.
type world struct {
	t          *testing.T
	datasource rulestest.Datasource
	storage    rulestest.Datasource // what alert state is restored from
	notifier   rulestest.Notifier
	appender   rulestest.Appender
	metrics    *metrics.Set
	deps       *rules.Deps
	manager    *rules.Manager
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, metrics: metrics.NewSet()}
	log := slog.New(slog.DiscardHandler)
	w.deps = &rules.Deps{
		Querier: &w.datasource, Appender: &w.appender, Notifier: &w.notifier,
		Templates: rulestest.Templates{}, Counters: rules.NewCounters(w.metrics), Log: log,
		Link: rules.LinkForTest(func(*config.Rule) string { return "http://tocsin/alert" }),
		Options: rules.Options{
			QueryTimeout: time.Minute, ChainWait: 5 * time.Second, ErrorResend: time.Hour,
		},
	}
	w.manager = rules.NewManager()
	t.Cleanup(w.close)
	return w
}

// close stops the groups, and waits for what is under way.
func (w *world) close() {
	if err := w.manager.Close(context.Background()); err != nil {
		w.t.Error(err)
	}
}

// restores has the alert state restored from w.storage.
func (w *world) restores() {
	w.deps.Restorer = rules.NewRestorer(&w.storage, time.Hour, w.deps.Counters)
}

// apply puts groups in force.
func (w *world) apply(groups ...config.Group) rules.Change {
	w.t.Helper()
	change, err := w.manager.Apply(rules.Plan{Files: files(groups...), Deps: w.deps})
	if err != nil || change.Problems != nil {
		w.t.Error(err, change.Problems) // not fatal: it may be a goroutine of the test
	}
	return change
}

// files returns groups in the files that they name, as far as they follow one
// another.
func files(groups ...config.Group) []rules.PlanFile {
	var all []rules.PlanFile
	for _, g := range groups {
		if n := len(all); n == 0 || all[n-1].Name != g.Key.File {
			all = append(all, rules.PlanFile{Name: g.Key.File})
		}
		f := &all[len(all)-1]
		f.Groups = append(f.Groups, g)
	}
	return all
}

// did returns what a reload did to groups, as "added a, kept 2".
func did(c rules.Change) string {
	var all []string
	for _, g := range c.Groups {
		all = append(all, string(g.Action)+" "+g.Key.Name)
	}
	if c.Kept > 0 {
		all = append(all, "kept "+strconv.Itoa(c.Kept))
	}
	return strings.Join(all, ", ")
}

// pass lets time pass and everything that is due happen.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *world) metric(text string) bool {
	var b bytes.Buffer
	w.metrics.WritePrometheus(&b)
	w.manager.WriteMetrics(&b)
	return strings.Contains(b.String(), text)
}

// group returns a group of the file f.yml that is evaluated every 10 seconds.
func group(name string, rs ...config.Rule) config.Group {
	return config.Group{
		Key: config.Key{File: "f.yml", Name: name}, Type: config.Prometheus,
		Interval: 10 * time.Second, EvalAlignment: true, Concurrency: 1, Rules: rs,
	}
}

func alerting(name, expr string, d time.Duration) config.Rule {
	return config.Rule{Kind: config.Alerting, Name: name, Expr: expr, For: d, UpdateEntries: 20}
}

func recording(name, expr string) config.Rule {
	return config.Rule{Kind: config.Recording, Name: name, Expr: expr, UpdateEntries: 20}
}

// exprs returns the expressions of queries in the order in which they were asked.
func exprs(qs []rules.Query) string {
	var all []string
	for _, q := range qs {
		all = append(all, q.Expr)
	}
	return strings.Join(all, " ")
}

// told returns the alerts of notifications as "name firing" or "name resolved".
func told(ns []rules.Notification) string {
	var all []string
	for _, n := range ns {
		for _, a := range n.Alerts {
			state := "firing"
			if a.Resolved {
				state = "resolved"
			}
			all = append(all, a.Labels.Get("alertname")+" "+state)
		}
	}
	return strings.Join(all, ", ")
}
