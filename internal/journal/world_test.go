package journal

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/VictoriaMetrics/metrics"
	"github.com/prometheus/prometheus/model/labels"
	"go.uber.org/goleak"

	"tocsin/config"
	"tocsin/internal/journal/store"
	"tocsin/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a journal with everything around it. Its folder outlives it, as that
// of a process does.
type world struct {
	t        *testing.T
	folder   string
	store    *store.Store
	journal  *Journal
	notifier *fakeNotifier
	sinks    []*fakeSink
	metrics  *metrics.Set
	log      *logBook
	disk     *gate // what commits of results go through
}

// newWorld starts a journal in folder that writes to sinks.
func newWorld(t *testing.T, folder string, sinks ...*fakeSink) (*world, []rules.GroupState) {
	t.Helper()
	w := &world{t: t, folder: folder, notifier: newFakeNotifier(), sinks: sinks, metrics: metrics.NewSet(), log: &logBook{}, disk: newGate()}
	log := slog.New(slog.NewTextHandler(w.log, nil))
	o := Options{
		Notifier: w.notifier, Metrics: w.metrics, Log: log,
		DecodeRows: decodeRows,
		EncodeRows: func(dst []byte, samples []rules.Series) []byte {
			w.disk.pass()
			return encodeRows(dst, samples)
		},
	}
	var names []string
	for i, s := range sinks {
		names = append(names, strconv.Itoa(i))
		o.Targets = append(o.Targets, Target{Key: names[i], Sink: s})
	}
	var err error
	if w.store, err = store.Open(store.Options{Path: folder, Targets: names, Metrics: w.metrics, Log: log}); err != nil {
		t.Fatal(err)
	}
	o.Store = w.store
	w.journal = New(o)
	states, err := w.journal.Recover()
	if err != nil {
		t.Fatal(err)
	}
	w.journal.Start()
	return w, states
}

// stop ends the process in good order.
func (w *world) stop() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // what is left is on disk
	if err := w.journal.Close(ctx); err != nil {
		w.t.Error(err)
	}
	w.journal.Settle()
	if err := w.store.Close(); err != nil {
		w.t.Error(err)
	}
}

// keep hands a record to the journal and returns when it has been handed on.
func (w *world) keep(r rules.Record) {
	w.t.Helper()
	if err := w.journal.Keep(w.t.Context(), r); err != nil {
		w.t.Fatal(err)
	}
	w.journal.mu.Lock()
	goal := w.journal.kept
	w.journal.mu.Unlock()
	signal(w.journal.hurry)
	if err := w.journal.awaitTold(w.t.Context(), goal); err != nil {
		w.t.Fatal(err)
	}
}

// logBook keeps what is logged.
type logBook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBook) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(line)
}

// count returns how many lines have text in them.
func (b *logBook) count(text string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.text.String(), text)
}

// gate lets everybody pass unless it is shut.
type gate struct {
	mu   sync.Mutex
	open chan struct{} // closed while the gate is open
}

func newGate() *gate {
	g := &gate{open: make(chan struct{})}
	close(g.open)
	return g
}

func (g *gate) pass() {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	<-open
}

// shut shuts the gate and returns what opens it.
func (g *gate) shut() (open func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = make(chan struct{})
	return sync.OnceFunc(func() { close(g.open) })
}

// encodeRows and decodeRows store samples as text, a line each.
func encodeRows(dst []byte, samples []rules.Series) []byte {
	for i := range samples {
		dst = append(dst, lineOf(&samples[i])+"\n"...)
	}
	return dst
}

func decodeRows(rows []byte) ([]rules.Series, error) {
	var all []rules.Series
	for line := range strings.Lines(string(rows)) {
		name, at, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "@")
		t, err := strconv.ParseInt(at, 10, 64)
		if !ok || err != nil {
			return nil, strconv.ErrSyntax
		}
		all = append(all, sample(name, t))
	}
	return all, nil
}

func lineOf(s *rules.Series) string {
	return s.Labels.Get("__name__") + "@" + strconv.FormatInt(s.T, 10)
}

func sample(name string, t int64) rules.Series {
	return rules.Series{Labels: labels.FromStrings("__name__", name), T: t, V: 1}
}

func samples(name string, from, to int64) []rules.Series {
	var all []rules.Series
	for t := from; t <= to; t++ {
		all = append(all, sample(name, t))
	}
	return all
}

// fakeSink is a remote-write target. While it is full it takes nothing; what it
// takes is settled when asked for.
type fakeSink struct {
	mu      sync.Mutex
	full    bool
	failing bool
	room    chan struct{} // closed when it is no longer full
	written []string
	number  uint64
	settled uint64
}

func newSink(full bool) *fakeSink {
	return &fakeSink{full: full, room: make(chan struct{})}
}

func (s *fakeSink) Put(_ context.Context, number uint64, batch []rules.Series) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return rules.ErrQueueFull
	}
	for i := range batch {
		s.written = append(s.written, lineOf(&batch[i]))
	}
	s.number = number
	return nil
}

func (s *fakeSink) AwaitRoom(ctx context.Context, _ int) error {
	select {
	case <-s.room:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *fakeSink) empty() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full = false
	close(s.room)
}

func (s *fakeSink) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settled = s.number
}

func (s *fakeSink) SettledThrough() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settled
}

func (s *fakeSink) Failing() bool { return s.failing }

func (s *fakeSink) Flush(context.Context) error { s.settle(); return nil }

func (s *fakeSink) lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.written)
}

// fakeNotifier takes alerts; they stay undelivered until they are accepted.
type fakeNotifier struct {
	mu          sync.Mutex
	told        []string
	undelivered map[labels.Labels]bool
}

func newFakeNotifier() *fakeNotifier { return &fakeNotifier{undelivered: map[labels.Labels]bool{}} }

func (n *fakeNotifier) Notify(x rules.Notification) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range x.Alerts {
		state := "firing"
		if a.Resolved {
			state = "resolved"
		}
		n.told = append(n.told, a.Labels.Get("alertname")+" "+state)
		n.undelivered[a.Labels] = true
	}
	return nil
}

func (n *fakeNotifier) Undelivered(l labels.Labels) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.undelivered[l]
}

func (n *fakeNotifier) accept(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.undelivered, labels.FromStrings("alertname", name))
}

func (n *fakeNotifier) heard() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.told, ", ")
}

func notification(name string, resolved, again bool) rules.Notification {
	return rules.Notification{
		Group:  config.Key{File: "f", Name: "g"},
		Alerts: []rules.Alert{{Labels: labels.FromStrings("alertname", name), Resolved: resolved, Again: again}},
	}
}

func state(name, data string) rules.GroupState {
	s := rules.GroupState{Group: config.Key{File: "f", Name: name}}
	if data != "" {
		s.Data = []byte(data)
	}
	return s
}
