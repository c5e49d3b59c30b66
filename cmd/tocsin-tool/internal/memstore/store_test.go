package memstore

import (
	"errors"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openStore(t testing.TB) *Store {
	t.Helper()
	s, err := Open(Options{
		Dir: t.TempDir(), Lookback: 5 * time.Minute, QueryTimeout: 30 * time.Second,
		MaxSamples: 1_000_000, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing the storage: %s", err)
		}
	})
	return s
}

func sample(at int64, v float64, pairs ...string) Sample {
	return Sample{Labels: labels.FromStrings(pairs...), T: at * 1000, V: v}
}

// ask returns the text of an instant query's result at a second.
func ask(t *testing.T, s *Store, expr string, at int64) string {
	t.Helper()
	res, done, err := s.Instant(t.Context(), expr, time.Unix(at, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	if res.Err != nil {
		t.Fatal(res.Err)
	}
	return res.Value.String()
}

func TestAppendedSampleIsFoundAtOnce(t *testing.T) {
	s := openStore(t)
	if err := s.Append(t.Context(), []Sample{sample(100, 3, "__name__", "jobs", "queue", "a")}); err != nil {
		t.Fatal(err)
	}
	if got, want := ask(t, s, `jobs * 2`, 110), `{queue="a"} => 6 @[110000]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSampleOutsideLookbackIsNotFound(t *testing.T) {
	s := openStore(t)
	if err := s.Append(t.Context(), []Sample{sample(100, 3, "__name__", "jobs")}); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, s, `jobs`, 401); got != "" {
		t.Errorf("five minutes later the sample is still %s", got)
	}
}

func TestStaleMarkerEndsSeries(t *testing.T) {
	s := openStore(t)
	stale := math.Float64frombits(value.StaleNaN)
	err := s.Append(t.Context(), []Sample{
		sample(100, 1, "__name__", "up", "i", "gone"),
		sample(100, 1, "__name__", "up", "i", "here"),
		sample(101, stale, "__name__", "up", "i", "gone"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := ask(t, s, `up`, 102), `{__name__="up", i="here"} => 1 @[102000]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRefusedSamplesDoNotHinderOthers(t *testing.T) {
	s := openStore(t)
	if err := s.Append(t.Context(), []Sample{sample(100, 1, "__name__", "a")}); err != nil {
		t.Fatal(err)
	}
	err := s.Append(t.Context(), []Sample{
		sample(100, 2, "__name__", "a"), // another value for the same moment
		sample(99, 1, "__name__", "a"),  // back in time
		sample(100, 1, "nameless", "x"),
		{Labels: labels.FromStrings("__name__", "twice", "x", "1", "x", "2"), T: 100_000},
		sample(100, 5, "__name__", "b"),
	})
	if !errors.Is(err, ErrBadSample) {
		t.Fatalf("got error %v, want one that wraps ErrBadSample", err)
	}
	want := `sample refused: 4 of 5, the first being {__name__="a"} at 100000: duplicate sample for timestamp`
	if err.Error()[:len(want)] != want {
		t.Errorf("got %q, want it to begin with %q", err, want)
	}
	if got, want := ask(t, s, `{__name__=~".+"}`, 100), "{__name__=\"a\"} => 1 @[100000]\n{__name__=\"b\"} => 5 @[100000]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTimeMayStartAtEpoch(t *testing.T) {
	s := openStore(t)
	for at := int64(0); at <= 600; at += 60 {
		if err := s.Append(t.Context(), []Sample{sample(at, float64(at), "__name__", "clock")}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(`{} => 600 @[600000]`, ask(t, s, `increase(clock[10m])`, 600)); diff != "" {
		t.Error(diff)
	}
}

func TestSyntaxErrorIsReturnedByCall(t *testing.T) {
	s := openStore(t)
	if _, _, err := s.Instant(t.Context(), `sum(`, time.Unix(0, 0)); err == nil {
		t.Error("a broken instant query was accepted")
	}
	if _, _, err := s.Range(t.Context(), `sum(`, time.Unix(0, 0), time.Unix(1, 0), time.Second); err == nil {
		t.Error("a broken range query was accepted")
	}
}
