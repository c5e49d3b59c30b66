package e2e

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRecordingResultIsQueriedBack(t *testing.T) {
	eachStorage(t, func(t *testing.T, s *storage) {
		feed(t, s, series(3, "orders", "shop", "a"), series(4, "orders", "shop", "b"))
		StartTocsin(t, `
groups:
  - name: sums
    rules:
      - record: orders:sum
        expr: sum(orders)
        labels: {by: tocsin}
`, against(s)...)
		eventually(t, storyTimeout, "the sum is stored", func() error {
			p, err := s.one("orders:sum")
			if err == nil && p.v != 7 {
				err = fmt.Errorf("it is %g", p.v)
			}
			if err == nil {
				want := map[string]string{"__name__": "orders:sum", "by": "tocsin"}
				if diff := cmp.Diff(want, p.labels); diff != "" {
					t.Fatalf("labels (-want +got):\n%s", diff)
				}
			}
			return err
		})
	})
}

// hostile are label values that break software which joins and splits text.
var hostile = []string{`a,b=c`, `x="y",`, "two\nlines", `back\slash`, `{brace}`, "ünï", `'`, `%{ENV}`}

func TestHostileLabelValuesSurviveAndEnd(t *testing.T) {
	eachStorage(t, func(t *testing.T, s *storage) {
		all := make([]sample, len(hostile))
		for i, v := range hostile {
			all[i] = series(float64(i+1), "src", "value", v)
		}
		f := feed(t, s, all...)
		StartTocsin(t, `
groups:
  - name: copies
    rules:
      - record: copy
        expr: src > 0
`, against(s)...)
		eventually(t, storyTimeout, "every value is copied", func() error {
			return copied(s, hostile)
		})

		// All but the last fall to zero: their copies have to end, at once.
		for i := range len(hostile) - 1 {
			all[i] = series(0, "src", "value", hostile[i])
		}
		f.set(append([]sample(nil), all...)...)
		eventually(t, storyTimeout, "stale markers end what vanished and nothing else", func() error {
			return copied(s, hostile[len(hostile)-1:])
		})
	})
}

// copied returns an error unless copy has exactly the series of the values, with
// the number of each value in hostile.
func copied(s *storage, values []string) error {
	points, err := s.query("copy")
	if err != nil {
		return err
	}
	got := map[string]float64{}
	for _, p := range points {
		got[p.labels["value"]] = p.v
	}
	want := map[string]float64{}
	for i, v := range hostile {
		for _, w := range values {
			if v == w {
				want[v] = float64(i + 1)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return errors.New(diff)
	}
	return nil
}

// TestChainedRuleReadsSameRound needs a storage that shows at once what it took.
func TestChainedRuleReadsSameRound(t *testing.T) {
	t.Parallel()
	s := startPrometheus(t)
	StartTocsin(t, `
groups:
  - name: chain
    rules:
      - record: link1
        expr: vector(time())
      - record: link2
        expr: link1
      - record: link3
        expr: link2
`, against(s)...)
	eventually(t, storyTimeout, "six rounds are stored", func() error {
		points, err := s.samples("link3")
		if err == nil && len(points) < 6 {
			err = fmt.Errorf("there are %d", len(points))
		}
		return err
	})
	points, err := s.samples("link3")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range points {
		if p.v != p.t {
			t.Errorf("at %.0f the last link is of %.0f", p.t, p.v)
		}
	}
}

func TestStorageDownLosesNoSample(t *testing.T) {
	t.Parallel()
	source, target := startPrometheus(t), startVictoriaMetrics(t)
	d := StartTocsin(t, `
groups:
  - name: clock
    rules:
      - record: tick
        expr: vector(time())
`, "-datasource.url="+source.url, "-remoteWrite.url="+target.url, "-remoteWrite.retryMinInterval=200ms")
	waitForTicks(t, target, 3)
	downFrom := time.Now()
	target.stop(t)
	letPass(t, downFrom, 6*time.Second)
	target.start(t)
	upFrom := time.Now()
	eventually(t, storyTimeout, "samples of after the break are stored", func() error {
		points, err := target.samples("tick")
		if err == nil && (len(points) == 0 || points[len(points)-1].t <= float64(upFrom.Unix())) {
			err = errNone
		}
		return err
	})
	if dropped, err := d.metric("vmalert_remotewrite_dropped_rows_total"); err != nil || dropped != 0 {
		t.Errorf("%g rows were dropped, %v", dropped, err)
	}
	if code := d.stop(t); code != 0 {
		t.Errorf("exit code is %d", code)
	}
	assertGapless(t, waitForTicks(t, target, 9))
}

// waitForTicks waits until at least n samples of tick are stored and returns all.
func waitForTicks(t *testing.T, s *storage, n int) []point {
	t.Helper()
	var points []point
	eventually(t, storyTimeout, fmt.Sprintf("%d ticks are stored", n), func() (err error) {
		points, err = s.samples("tick")
		if err == nil && len(points) < n {
			err = fmt.Errorf("there are %d", len(points))
		}
		return err
	})
	return points
}

// assertGapless checks that there is one sample for each second from the first
// to the last, each with the value it was evaluated to.
func assertGapless(t *testing.T, points []point) {
	t.Helper()
	for i, p := range points {
		if want := points[0].t + float64(i); p.t != want {
			t.Fatalf("sample %d of %d is of %.0f, want %.0f", i, len(points), p.t, want)
		}
		if p.v != p.t {
			t.Errorf("at %.0f the value is %.0f", p.t, p.v)
		}
	}
}
