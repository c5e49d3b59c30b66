package witness

import (
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func post(h http.HandlerFunc, path, body string) int {
	w := httptest.NewRecorder()
	h(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
	return w.Code
}

func TestAlertmanagerNotesWhatItTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n Notes
		body := `[{"labels":{"alertname":"A","instance":"2"},"startsAt":"2000-01-01T00:00:00Z","endsAt":"2000-01-01T00:01:00Z"},
			{"labels":{"alertname":"B","instance":"0"},"startsAt":"1999-12-31T23:59:00Z","endsAt":"2000-01-01T00:00:00Z"}]`
		if code := post(n.Alertmanager, "/api/v2/alerts", body); code != http.StatusOK {
			t.Fatalf("status %d", code)
		}
		now := time.Now()
		want := []Post{
			{"A", 2, now, now, now.Add(time.Minute)},
			{"B", 0, now, now.Add(-time.Minute), now},
		}
		got := n.Posts()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		if !got[0].Fires() || got[1].Fires() {
			t.Errorf("they fire: %t, %t; want the first alone", got[0].Fires(), got[1].Fires())
		}
	})
}

func TestWhatIsRefusedIsNotNoted(t *testing.T) {
	var n Notes
	for _, c := range []struct{ path, body string }{
		{"/api/v2/alerts", `[{"labels":`},
		{"/api/v2/alerts", `[{"labels":{"alertname":"A"}}]`},
		{"/api/v1/alerts", `[]`},
	} {
		if code := post(n.Alertmanager, c.path, c.body); code/100 != 4 {
			t.Errorf("%s %s: status %d", c.path, c.body, code)
		}
	}
	if got := n.Posts(); len(got) != 0 {
		t.Errorf("it noted %v", got)
	}
}

func TestPageFiresUntilTheContraryIsSaid(t *testing.T) {
	var n Notes
	for _, status := range []string{"firing", "resolved"} {
		body := `{"alerts":[{"status":"` + status + `","labels":{"alertname":"A","instance":"1"},"startsAt":"2000-01-01T00:00:00Z","endsAt":"2000-01-01T00:05:00Z"}]}`
		if code := post(n.Webhook, "/", body); code != http.StatusOK {
			t.Fatalf("status %d", code)
		}
	}
	got := n.Posts()
	if len(got) != 2 || !got[0].Fires() || got[1].Fires() {
		t.Errorf("noted %v", got)
	}
}

const export = `{"metric":{"__name__":"faults:r0_0","series":"1"},"values":[1,null,3.5],"timestamps":[1000,2000,3000]}
{"metric":{"__name__":"faults:r0_1","series":"0"},"values":[],"timestamps":[]}
{"metric":{"__name__":"faults:r0_2","series":"0"},"values":[NaN,2],"timestamps":[1,2]}
`

func TestExportIsRead(t *testing.T) {
	got, err := readExport(strings.NewReader(export))
	if err != nil {
		t.Fatal(err)
	}
	want := []Series{
		{map[string]string{"__name__": "faults:r0_0", "series": "1"}, []int64{1000, 2000, 3000}, []float64{1, math.NaN(), 3.5}},
		{map[string]string{"__name__": "faults:r0_1", "series": "0"}, []int64{}, []float64{}},
		{map[string]string{"__name__": "faults:r0_2", "series": "0"}, []int64{1, 2}, []float64{math.NaN(), 2}},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, broken := range []string{export[:60], strings.Replace(export, "1,null", "null", 1), "rubbish\n"} {
		if got, err := readExport(strings.NewReader(broken)); err == nil {
			t.Errorf("%q is read as %v", broken, got)
		}
	}
}

func TestCountersGoOnOverLives(t *testing.T) {
	var c Counters
	c.Observe("# TYPE x counter\nrows_dropped_total{reason=\"a b\"} 2\nrows_dropped_total{reason=\"c\"} 1\nrows_total 9\n")
	c.Observe("rows_dropped_total{reason=\"a b\"} 5\nrounds_missed_total 0\n")
	c.NextLife()
	c.Observe("rows_dropped_total 1\nbroken_lost_total many\n")
	if diff := cmp.Diff([]Counter{{"rows_dropped_total", 6}}, c.Losses()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMemoryOfThisProcess(t *testing.T) {
	if got, err := Memory(os.Getpid()); err != nil || got < 1<<20 {
		t.Errorf("%d bytes, %v", got, err)
	}
	if got, err := Memory(-1); err == nil {
		t.Errorf("no process takes %d bytes", got)
	}
}

func FuzzExport(f *testing.F) {
	f.Add(export)
	f.Fuzz(func(t *testing.T, text string) {
		all, err := readExport(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, s := range all {
			if len(s.Times) != len(s.Values) {
				t.Errorf("%d times and %d values", len(s.Times), len(s.Values))
			}
		}
	})
}

func FuzzMetricsPage(f *testing.F) {
	f.Add("a_lost_total{x=\"}\"} 1e3\n\n# b\n c 2")
	f.Fuzz(func(t *testing.T, page string) {
		for name := range sums(page) {
			if strings.ContainsAny(name, "{\n") || name != strings.TrimSpace(name) {
				t.Errorf("a metric is called %q", name)
			}
		}
	})
}

func FuzzAlertmanager(f *testing.F) {
	f.Add(`[{"labels":{"alertname":"A","instance":"2"},"startsAt":"2000-01-01T00:00:00Z"}]`)
	f.Fuzz(func(t *testing.T, body string) {
		var n Notes
		code := post(n.Alertmanager, "/api/v2/alerts", body)
		if noted := len(n.Posts()); noted > 0 && code != http.StatusOK {
			t.Errorf("%d posts are noted and answered with %d", noted, code)
		}
	})
}
