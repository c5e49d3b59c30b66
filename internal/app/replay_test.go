package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/replay"
)

// past is a datasource of which each expression has the value 1 at all times.
type past struct {
	mu    sync.Mutex // guards the fields below
	asked []url.Values
	hook  func(n int, rw http.ResponseWriter) bool // answers the n-th query, if it returns true
}

func (p *past) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm() // a bad form is one without values
	form := r.Form
	form.Set("path", r.URL.Path)
	p.mu.Lock()
	p.asked = append(p.asked, form)
	n, hook := len(p.asked), p.hook
	p.mu.Unlock()
	if hook != nil && hook(n, rw) {
		return
	}
	from, to := moment(form.Get("start")), moment(form.Get("end"))
	step, _ := time.ParseDuration(form.Get("step"))
	if strings.Contains(r.URL.Path, "logsql") {
		to = to.Add(-step) // the last result is that of the time up to the end
	}
	values := [][2]any{}
	for at := from; step > 0 && !at.After(to); at = at.Add(step) {
		values = append(values, [2]any{at.Unix(), "1"})
	}
	_ = json.NewEncoder(rw).Encode(map[string]any{"status": "success", "data": map[string]any{
		"resultType": "matrix", "result": []any{map[string]any{"metric": map[string]string{}, "values": values}},
	}})
}

func moment(text string) time.Time {
	t, _ := time.Parse(time.RFC3339, text)
	return t
}

// queries returns the range queries so far.
func (p *past) queries() []url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// replaying returns options to replay ten minutes of the rules in text, and the
// past of w.
func replaying(t *testing.T, w *world, text string) (Options, *past) {
	t.Helper()
	p := &past{}
	w.handle(w.datasource, p.ServeHTTP)
	o := withStorage(options(w, ruleFile(t, text)), w)
	o.Rules.EvaluationInterval = time.Minute
	from := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	o.Replay = ReplayOptions{
		Wanted: true, From: from, To: from.Add(10 * time.Minute), Written: "ten minutes",
		MaxPoints: 4, Concurrency: 1, Attempts: 1, Resume: true,
	}
	return o, p
}

const replayedRules = `
groups:
  - name: g
    rules:
      - record: copy
        expr: x
      - alert: A
        expr: y
`

// replayed runs a replay to its end.
func replayed(o Options) (*logBook, error) {
	log := newLogBook()
	return log, Run(context.Background(), o, Signals{Log: log.logger(), Stdout: io.Discard})
}

func TestReplayWritesAndEnds(t *testing.T) {
	w := newWorld(t)
	o, p := replaying(t, w, replayedRules)
	o = withAlertmanager(o, w)
	log, err := replayed(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"copy", "ALERTS", "ALERTS_FOR_STATE"} {
		if !w.hasWritten(name) {
			t.Errorf("%s is not written", name)
		}
	}
	if n := len(w.told("A")); n > 0 || w.connections(w.alertmanager) > 0 {
		t.Errorf("Alertmanager is told %d times", n)
	}
	if text := log.String(); !strings.Contains(text, "replay is complete") || strings.Contains(text, "listening") {
		t.Errorf("the log is\n%s", text)
	}
	if n := len(p.queries()); n != 6 {
		t.Errorf("%d queries, want three for each rule", n)
	}
}

// The step is the interval although instant queries have another one, and nothing
// comes from a cache.
func TestReplayAsksRangesOfTheInterval(t *testing.T) {
	w := newWorld(t)
	o, p := replaying(t, w, replayedRules)
	if _, err := replayed(o); err != nil {
		t.Fatal(err)
	}
	for _, q := range p.queries() {
		got := []string{q.Get("path"), q.Get("step"), q.Get("nocache")}
		if diff := cmp.Diff([]string{"/api/v1/query_range", "60s", "1"}, got); diff != "" {
			t.Errorf("path, step and nocache (-want +got):\n%s", diff)
		}
	}
}

func TestReplayRefusesGraphiteBeforeAnythingRuns(t *testing.T) {
	w := newWorld(t)
	o, p := replaying(t, w, replayedRules+`
  - name: carbon
    type: graphite
    rules: [{record: c, expr: a.b}]
  - name: whisper
    type: graphite
    rules: [{record: d, expr: a.b}]
`)
	_, err := replayed(o)
	if err == nil || !strings.Contains(err.Error(), `:10: group "carbon": groups of type graphite cannot be replayed`) ||
		!strings.Contains(err.Error(), `group "whisper"`) {
		t.Errorf("error is %v, want it to name both groups", err)
	}
	if n := len(p.queries()); n > 0 || w.hasWritten("copy") {
		t.Errorf("%d queries were asked", n)
	}
}

func TestReplayNeedsGoodRules(t *testing.T) {
	for text, want := range map[string]string{
		"groups: []": "no rule groups found",
		"groups: [{name: g, rules: [{record: r, expr: 'sum('}]}]":                                        "unclosed left parenthesis",
		"groups: [{name: g, rules: [{alert: A, expr: x, annotations: {a: '{{ .None.Such | what }}'}}]}]": "what",
	} {
		w := newWorld(t)
		o, p := replaying(t, w, text)
		if _, err := replayed(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error of %s is %v, want it to be about %q", text, err, want)
		}
		if n := len(p.queries()); n > 0 {
			t.Errorf("%d queries were asked", n)
		}
	}
}

func TestInterruptedReplayGoesOnFromItsRecord(t *testing.T) {
	w := newWorld(t)
	o, p := replaying(t, w, replayedRules)
	o.Storage.Path, o.Storage.Demanded = filepath.Join(t.TempDir(), "state"), true
	ctx, interrupt := context.WithCancel(context.Background())
	p.hook = func(n int, rw http.ResponseWriter) bool {
		if n == 3 {
			interrupt()
			<-ctx.Done()
			http.Error(rw, "too late", http.StatusInternalServerError)
		}
		return n == 3
	}
	log := newLogBook()
	err := Run(ctx, o, Signals{Log: log.logger(), Stdout: io.Discard})
	if !errors.Is(err, ErrLeftUndone) || !strings.Contains(err.Error(), "run the same command again") {
		t.Fatalf("error is %v, want it to say how to go on", err)
	}
	again, err := replayed(o)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(again.String(), "replay goes on where it was interrupted") {
		t.Errorf("the log is\n%s", again)
	}
	asked := p.queries()
	if got, want := len(asked), 3+1+3; got != want {
		t.Errorf("%d queries in all, want %d", got, want)
	}
	if got, want := asked[3].Get("start"), "2024-05-01T12:08:00Z"; got != want {
		t.Errorf("it goes on at %s, want %s", got, want)
	}
	if _, err := os.Stat(filepath.Join(o.Storage.Path, "replay")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the complete replay leaves its record: %v", err)
	}
}

// With other rules, or another period, it is another replay.
func TestRecordIsOfOneReplayOnly(t *testing.T) {
	w := newWorld(t)
	o, p := replaying(t, w, replayedRules)
	o.Storage.Path = t.TempDir()
	p.hook = func(n int, rw http.ResponseWriter) bool {
		if n == 2 {
			http.Error(rw, "", http.StatusBadRequest)
		}
		return n == 2
	}
	if _, err := replayed(o); !errors.Is(err, ErrLeftUndone) || !strings.Contains(err.Error(), "-replay.continueWithExecutionErr") {
		t.Fatalf("error is %v, want it to name the flag", err)
	}
	other := o
	other.Replay.Written = "another period"
	log, err := replayed(other)
	if err != nil || strings.Contains(log.String(), "goes on") {
		t.Errorf("%v; the log is\n%s", err, log)
	}
	afresh := o
	afresh.Replay.Resume = false
	if log, err := replayed(afresh); err != nil || strings.Contains(log.String(), "goes on") {
		t.Errorf("%v; the log is\n%s", err, log)
	}
}

func TestReplayWithoutAPlaceForItsRecordSaysSo(t *testing.T) {
	w := newWorld(t)
	o, _ := replaying(t, w, replayedRules)
	o.Storage.Path = filepath.Join(ruleFile(t, ""), "state") // below a file
	log, err := replayed(o)
	if err != nil || !strings.Contains(log.String(), "progress is not recorded") {
		t.Errorf("%v; the log is\n%s", err, log)
	}
	o.Storage.Demanded = true
	if _, err := replayed(o); err == nil || !strings.Contains(err.Error(), "-storage.path") {
		t.Errorf("error is %v, want it to be about -storage.path", err)
	}
}

func TestReplayTellsWhatStorageRefuses(t *testing.T) {
	w := newWorld(t)
	o, _ := replaying(t, w, replayedRules)
	w.handle(w.storage, func(rw http.ResponseWriter, _ *http.Request) {
		http.Error(rw, "too old", http.StatusBadRequest)
	})
	_, err := replayed(o)
	// Each evaluation of the alerting rule gives two samples.
	if !errors.Is(err, ErrLeftUndone) || !strings.Contains(err.Error(), "storage refused "+strconv.Itoa(11+2*11)+" samples") {
		t.Errorf("error is %v", err)
	}
}

func TestReplayEndsWhenStorageStaysAway(t *testing.T) {
	w := newWorld(t)
	o, _ := replaying(t, w, replayedRules)
	o.RemoteWrite.RetryMaxTime, o.RemoteWrite.DrainTimeout = 20*time.Millisecond, 20*time.Millisecond
	w.handle(w.storage, func(rw http.ResponseWriter, _ *http.Request) {
		http.Error(rw, "", http.StatusServiceUnavailable)
	})
	if _, err := replayed(o); !errors.Is(err, errStuck) || !errors.Is(err, ErrLeftUndone) {
		t.Errorf("error is %v, want that storage takes nothing", err)
	}
}

// A queue that is much too short for a window costs time, but no sample.
func TestReplayWaitsForRoom(t *testing.T) {
	w := newWorld(t)
	o, _ := replaying(t, w, replayedRules)
	o.RemoteWrite.MaxQueueSize, o.RemoteWrite.MaxBatchSize = 2, 1
	second := w.serve(t, w.write)
	slow := RemoteWriteTarget{URL: second.URL, Client: o.RemoteWrite.Targets[0].Client}
	o.RemoteWrite.Targets = append(o.RemoteWrite.Targets, slow)
	fails := 3
	var mu sync.Mutex
	w.handle(second, func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if fails--; fails >= 0 {
			http.Error(rw, "", http.StatusServiceUnavailable)
			return
		}
		w.write(rw, r)
	})
	log, err := replayed(o)
	if err != nil || !strings.Contains(log.String(), `"samples":33`) {
		t.Errorf("%v; the log is\n%s", err, log)
	}
}

func TestReplayDrawsBarsOnATerminal(t *testing.T) {
	w := newWorld(t)
	o, _ := replaying(t, w, replayedRules)
	for _, lines := range []bool{false, true} {
		o.Replay.Lines = lines
		var terminal bytes.Buffer
		log := newLogBook()
		if err := Run(context.Background(), o, Signals{Log: log.logger(), Stdout: io.Discard, Terminal: &terminal}); err != nil {
			t.Fatal(err)
		}
		if drawn := strings.Contains(terminal.String(), "22 / 22"); drawn == lines {
			t.Errorf("with lines=%t the terminal has %q", lines, terminal.String())
		}
		if told := strings.Contains(log.String(), "replay of a group gets on"); told != lines {
			t.Errorf("with lines=%t the log is\n%s", lines, log)
		}
	}
}

func TestReplayNeedsMatrices(t *testing.T) {
	w := newWorld(t)
	o, p := replaying(t, w, replayedRules)
	p.hook = func(_ int, rw http.ResponseWriter) bool {
		_, _ = io.WriteString(rw, `{"status":"success","data":{"resultType":"vector","result":[]}}`)
		return true
	}
	if _, err := replayed(o); !errors.Is(err, ErrLeftUndone) || !strings.Contains(err.Error(), `"vector" where matrix is needed`) {
		t.Errorf("error is %v, want that the answer is no matrix", err)
	}
}

func TestReplayGoesOnWithoutQueriesThatAreRefused(t *testing.T) {
	w := newWorld(t)
	o, p := replaying(t, w, replayedRules)
	o.Replay.SkipFailing = true
	p.hook = func(n int, rw http.ResponseWriter) bool {
		if n <= 3 {
			http.Error(rw, "too many points", http.StatusUnprocessableEntity)
		}
		return n <= 3
	}
	_, err := replayed(o)
	if !errors.Is(err, replay.ErrIncomplete) || !strings.Contains(err.Error(), "11 were skipped") {
		t.Errorf("error is %v, want the eleven evaluations of a rule to be skipped", err)
	}
	if !w.hasWritten("ALERTS") || w.hasWritten("copy") {
		t.Error("want the other rule to be replayed")
	}
}

// Logs are asked for at once.
func TestReplayOfLogs(t *testing.T) {
	w := newWorld(t)
	o, p := replaying(t, w, `
groups:
  - name: logs
    type: vlogs
    rules: [{record: errors, expr: "error | stats by (host) count() as n"}]
`)
	o.Replay.MaxPoints = 100
	if _, err := replayed(o); err != nil {
		t.Fatal(err)
	}
	asked := p.queries()
	if len(asked) != 1 || asked[0].Get("path") != "/select/logsql/stats_query_range" || !w.hasWritten("errors") {
		t.Errorf("asked %v, want one range query", asked)
	}
}
