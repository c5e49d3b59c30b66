package discovery

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/VictoriaMetrics/metrics"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/prometheus/model/labels"
	"go.uber.org/goleak"

	"tocsin/config/notifiers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is what a Finder needs, and what comes of it.
type bench struct {
	Options
	metrics *metrics.Set
	log     *lockedBuffer
	changes chan struct{} // has a token when there is something new
}

func newBench() *bench {
	b := &bench{metrics: metrics.NewSet(), log: &lockedBuffer{}, changes: make(chan struct{}, 1)}
	b.Counts = NewCounts(b.metrics)
	b.Log = slog.New(slog.NewTextHandler(b.log, nil))
	b.Changed = func() {
		select {
		case b.changes <- struct{}{}:
		default:
		}
	}
	return b
}

// start starts a Finder for block, which the test stops.
func (b *bench) start(t *testing.T, block *notifiers.Block) *Finder {
	t.Helper()
	f, err := New(block, b.Options)
	if err != nil {
		t.Fatal(err)
	}
	return b.run(t, f)
}

// run starts a Finder, which the test stops.
func (b *bench) run(t *testing.T, f *Finder) *Finder {
	t.Cleanup(f.Stop)
	f.Start()
	return f
}

// over starts a Finder that asks s.
func (b *bench) over(t *testing.T, kind notifiers.Kind, s source) *Finder {
	return b.run(t, &Finder{
		source: s, changed: b.Changed, log: b.Log.With("kind", string(kind)), looked: make(chan struct{}),
	})
}

// until waits until what f found is as wanted.
func (b *bench) until(t *testing.T, f *Finder, wanted func(Found) bool) Found {
	t.Helper()
	for {
		if found := f.Found(); wanted(found) {
			return found
		}
		select {
		case <-b.changes:
		case <-t.Context().Done():
			t.Fatal("in vain waited for something to be found")
		}
	}
}

func (b *bench) metric(t *testing.T, series string) string {
	t.Helper()
	var text strings.Builder
	b.metrics.WritePrometheus(&text)
	for line := range strings.Lines(text.String()) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	t.Fatalf("no %s in\n%s", series, text.String())
	return ""
}

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// addresses returns the addresses of what was found, in order.
func addresses(targets []labels.Labels) []string {
	var all []string
	for _, l := range targets {
		all = append(all, l.Get(addressLabel))
	}
	return all
}

func wantAddresses(t *testing.T, f *Finder, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, addresses(f.Found().Targets), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
}

// wantLabels compares with label sets written as in {a="b"}.
func wantLabels(t *testing.T, got []labels.Labels, want ...string) {
	t.Helper()
	var texts []string
	for _, l := range got {
		texts = append(texts, l.String())
	}
	if diff := cmp.Diff(want, texts, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}

// inProcess is a server without a network.
type inProcess struct{ http.Handler }

var errUnreachable = errors.New("connection refused")

func (p inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, req)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if w.Code == http.StatusTeapot {
		return nil, errUnreachable
	}
	return w.Result(), nil
}

// inBubble runs a test with a clock of its own.
func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}
