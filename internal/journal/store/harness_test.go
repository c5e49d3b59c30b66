package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/VictoriaMetrics/metrics"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const levelInfo = slog.LevelInfo

// logBook keeps what is logged.
type logBook struct {
	mu    sync.Mutex
	lines []string
}

func (b *logBook) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, string(line))
	return len(line), nil
}

// messages returns the messages that were logged at a level and forgets them.
func (b *logBook) messages(level slog.Level) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []string
	for _, line := range b.lines {
		var r struct{ Level, Msg string }
		if json.Unmarshal([]byte(line), &r) == nil && r.Level == level.String() {
			found = append(found, r.Msg)
		}
	}
	b.lines = nil
	return found
}

// rig is a store on a fake disk.
type rig struct {
	*Store
	t       rapid.TB
	disk    *fakeDisk
	options Options
	book    *logBook
	random  *rand.Rand
	pool    []byte // of noise
}

// newRig returns a store with targets "a" and "b" unless options names others.
func newRig(t rapid.TB, options Options) *rig {
	t.Helper()
	r := &rig{t: t, disk: newFakeDisk(), options: options, book: &logBook{}, random: rand.New(rand.NewPCG(3, 4))}
	if r.options.Targets == nil {
		r.options.Targets = []string{"a", "b"}
	}
	r.options.Log = slog.New(slog.NewJSONHandler(r.book, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r.reopen()
	return r
}

// reopen opens what is on the disk as a new process would. What a Store before
// should have closed, the test closes.
func (r *rig) reopen() {
	r.t.Helper()
	if err := r.tryOpen(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) tryOpen() (err error) {
	r.options.Metrics = metrics.NewSet()
	r.Store, err = open(r.options, r.disk)
	return err
}

func (r *rig) restart() {
	r.t.Helper()
	if err := r.Close(); err != nil {
		r.t.Fatal(err)
	}
	r.reopen()
}

func (r *rig) commit(rows string, puts ...Put) uint64 {
	r.t.Helper()
	seq, err := r.Commit(puts, []byte(rows), len(rows))
	if err != nil {
		r.t.Fatal(err)
	}
	return seq
}

func (r *rig) values() map[string]string {
	r.t.Helper()
	got, last := map[string]string{}, ""
	err := r.Values(func(key string, value []byte) error {
		if key <= last && len(got) > 0 {
			return fmt.Errorf("key %q after %q", key, last)
		}
		got[key], last = string(value), key
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return got
}

func (r *rig) wantValues(want map[string]string) {
	r.t.Helper()
	if diff := cmp.Diff(want, r.values()); diff != "" {
		r.t.Fatalf("values (-want +got):\n%s", diff)
	}
}

// readAll returns what a new Reader of target reads.
func (r *rig) readAll(target string) (rows []string) {
	r.t.Helper()
	reader := r.Reader(target)
	defer reader.Close()
	for {
		b, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			r.t.Fatal(err)
		}
		if b.Samples != len(b.Rows) {
			r.t.Fatalf("batch %d has %d bytes and %d samples", b.Seq, len(b.Rows), b.Samples)
		}
		rows = append(rows, string(b.Rows))
	}
}

func (r *rig) wantRows(target string, want ...string) {
	r.t.Helper()
	if diff := cmp.Diff(want, r.readAll(target)); diff != "" {
		r.t.Fatalf("rows of %s (-want +got):\n%s", target, diff)
	}
}

// metric returns the line of /metrics that begins with name, without it.
func (r *rig) metric(name string) string {
	var b bytes.Buffer
	r.options.Metrics.WritePrometheus(&b)
	for line := range strings.Lines(b.String()) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return "none"
}

func (r *rig) wantMetric(name, want string) {
	r.t.Helper()
	if got := r.metric(name); got != want {
		r.t.Errorf("%s is %s, want %s", name, got, want)
	}
}

// noise returns n bytes that cannot be compressed and must not be changed.
func (r *rig) noise(n int) []byte {
	for need := max(2*n, 1<<20); len(r.pool) < need; {
		r.pool = binary.LittleEndian.AppendUint64(r.pool, r.random.Uint64())
	}
	start := r.random.IntN(len(r.pool) - n + 1)
	return r.pool[start : start+n : start+n]
}

func put(key, value string) Put { return Put{Key: key, Value: []byte(value)} }

func remove(key string) Put { return Put{Key: key} }

// waiting returns what target has yet to settle.
func (s *Store) waiting(target string) backlog {
	return s.ledger.waiting(s.ledger.target(target))
}
