package datasource

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tocsin/rules"
)

// windowServer answers each time with the length in seconds of the window that
// selectors without a range have there: for VictoriaMetrics the step, for
// Prometheus five minutes. Series "odd" has values at odd minutes only.
type windowServer struct {
	victoria, counts bool // counts: it says how many series it has read

	mu    sync.Mutex // guards the fields below
	asked []string   // start, end and step of range queries
}

func (s *windowServer) RoundTrip(r *http.Request) (*http.Response, error) {
	raw, _ := io.ReadAll(r.Body)
	form, err := url.ParseQuery(string(raw))
	if err != nil {
		return nil, err
	}
	body := series(fmt.Sprintf(`[%d,"%g"]`, noon.Unix(), s.window(form.Get("step"))))
	if strings.HasSuffix(r.URL.Path, "_range") {
		s.mu.Lock()
		s.asked = append(s.asked, form.Get("start")[11:]+" "+form.Get("end")[11:]+" "+form.Get("step"))
		s.mu.Unlock()
		body = s.points(form)
	}
	h := header("Content-Type", "application/json")
	if s.counts {
		body = strings.TrimSuffix(body, "}") + `,"stats":{"seriesFetched":"1"}}`
	} else if s.victoria {
		h.Set("X-Server-Hostname", "vm")
	}
	return &http.Response{StatusCode: http.StatusOK, Header: h, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func (s *windowServer) window(step string) float64 {
	d, ok := parseStep(step)
	switch {
	case !s.victoria:
		return 300
	case !ok:
		return math.Inf(1)
	}
	return d.Seconds()
}

func (s *windowServer) points(form url.Values) string {
	start, _ := time.Parse(time.RFC3339Nano, form.Get("start"))
	end, _ := time.Parse(time.RFC3339Nano, form.Get("end"))
	step, ok := parseStep(form.Get("step"))
	if !ok {
		step = time.Hour
	}
	var all, odd []string
	for at := start; !at.After(end); at = at.Add(step) {
		p := fmt.Sprintf(`[%d.%03d,"%g"]`, at.Unix(), at.UnixMilli()%1000, s.window(form.Get("step")))
		all = append(all, p)
		if at.Minute()%2 == 1 {
			odd = append(odd, p)
		}
	}
	body := `{"metric":{"series":"all"},"values":[` + strings.Join(all, ",") + `]}`
	if len(odd) > 0 {
		body = `{"metric":{"series":"odd"},"values":[` + strings.Join(odd, ",") + `]},` + body
	}
	return matrix(body)
}

// minutes returns a point with the value at each of the minutes after noon.
func minutes(v float64, at ...int64) []rules.Point {
	var points []rules.Point
	for _, m := range at {
		points = append(points, rules.Point{T: noon.UnixMilli() + 60_000*m, V: v})
	}
	return points
}

// sevenMinutes is up() from noon, at each minute.
func sevenMinutes() rules.RangeQuery {
	q := hour()
	q.To = noon.Add(6 * time.Minute)
	return q
}

func TestVictoriaMetricsIsAskedWithTheStepOfInstantQueries(t *testing.T) {
	set := metrics.NewSet()
	s := &windowServer{victoria: true}
	c := newClient(t, s, func(o *Options) { o.Metrics = set })
	ask(t, c, up())
	got := askRange(t, c, sevenMinutes())

	equal(t, s.asked, []string{
		"12:00:00Z 12:05:00Z 300s", "12:01:00Z 12:06:00Z 300s", "12:02:00Z 12:02:00Z 300s", "12:03:00Z 12:03:00Z 300s", "12:04:00Z 12:04:00Z 300s"})
	equal(t, got, []rules.Track{
		track(minutes(300, 1, 3, 5), "series", "odd"),
		track(minutes(300, 0, 1, 2, 3, 4, 5, 6), "series", "all"),
	})
	equal(t, metric(set, "tocsin_datasource_range_queries_total"), "5")
}

func TestPrometheusIsAskedOnce(t *testing.T) {
	s := &windowServer{}
	c := newClient(t, s, nil)
	ask(t, c, up())
	got := askRange(t, c, sevenMinutes())

	equal(t, s.asked, []string{"12:00:00Z 12:06:00Z 60s"})
	equal(t, got, []rules.Track{
		track(minutes(300, 1, 3, 5), "series", "odd"),
		track(minutes(300, 0, 1, 2, 3, 4, 5, 6), "series", "all"),
	})
}

func TestAServerNobodyKnowsYetIsRecognizedByItsFirstAnswer(t *testing.T) {
	for _, counts := range []bool{false, true} {
		s := &windowServer{victoria: true, counts: counts}
		c := newClient(t, s, nil)
		got := askRange(t, c, sevenMinutes())
		equal(t, len(s.asked), 6)
		equal(t, s.asked[0], "12:00:00Z 12:06:00Z 60s")
		equal(t, got[1], track(minutes(300, 0, 1, 2, 3, 4, 5, 6), "series", "all"))
	}
}

func TestAServerThatWasReplacedIsRecognized(t *testing.T) {
	s := &windowServer{victoria: true}
	c := newClient(t, s, nil)
	ask(t, c, up())
	s.victoria = false
	ask(t, c, up())
	askRange(t, c, sevenMinutes())
	equal(t, s.asked, []string{"12:00:00Z 12:06:00Z 60s"})
}

func TestLanesFollowTheStepOfTheGroup(t *testing.T) {
	for _, tt := range []struct {
		name   string
		params map[string][]string
		change func(*Options)
		asked  []string // of 12:00, 12:01 and 12:02
	}{
		{"step is the interval", nil, func(o *Options) { o.QueryStep = 0 }, []string{"12:00:00Z 12:02:00Z 60s"}},
		{"step of the group", map[string][]string{"step": {"2m", "7m"}}, nil, []string{"12:00:00Z 12:02:00Z 2m", "12:01:00Z 12:01:00Z 2m"}},
		{"step of the group in seconds", map[string][]string{"step": {"120"}}, nil, []string{"12:00:00Z 12:02:00Z 120", "12:01:00Z 12:01:00Z 120"}},
		{"no multiple of the interval", nil, func(o *Options) { o.QueryStep = 90 * time.Second },
			[]string{"12:00:00Z 12:00:00Z 90s", "12:01:00Z 12:01:00Z 90s", "12:02:00Z 12:02:00Z 90s"}},
		{"less than the interval", nil, func(o *Options) { o.QueryStep = 30 * time.Second },
			[]string{"12:00:00Z 12:00:00Z 30s", "12:01:00Z 12:01:00Z 30s", "12:02:00Z 12:02:00Z 30s"}},
		{"a step only the server understands", map[string][]string{"step": {"1i"}}, nil,
			[]string{"12:00:00Z 12:00:00Z 1i", "12:01:00Z 12:01:00Z 1i", "12:02:00Z 12:02:00Z 1i"}},
		{"no step", nil, func(o *Options) { o.DisableStepParam = true },
			[]string{"12:00:00Z 12:00:00Z 300s", "12:01:00Z 12:01:00Z 300s", "12:02:00Z 12:02:00Z 300s"}},
		{"step of the URL", nil, func(o *Options) { o.DisableStepParam, o.URL = true, "http://vm:8428?step=2m" },
			[]string{"12:00:00Z 12:02:00Z 2m", "12:01:00Z 12:01:00Z 2m"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &windowServer{victoria: true}
			c := newClient(t, s, tt.change)
			q := sevenMinutes()
			q.To = noon.Add(2 * time.Minute)
			q.Params = tt.params
			ask(t, c, q.Query)
			askRange(t, c, q)
			equal(t, s.asked, tt.asked)
		})
	}
}

func TestOneTimeIsAskedForWithTheStepOfInstantQueriesOfAnyServer(t *testing.T) {
	s := &windowServer{victoria: true}
	q := hour()
	q.To = q.From.Add(59 * time.Second)
	got := askRange(t, newClient(t, s, nil), q)
	equal(t, s.asked, []string{"12:00:00Z 12:00:00Z 300s"})
	equal(t, got, []rules.Track{track(minutes(300, 0), "series", "all")})
}

func TestALaneThatFailsIsTheAnswer(t *testing.T) {
	vm := header("X-Server-Hostname", "vm")
	s := &fakeServer{replies: []reply{{header: vm, body: emptyVector}, {header: vm, body: emptyMatrix}, {header: vm, status: 503}}}
	c := newClient(t, s, nil)
	ask(t, c, up())
	if _, err := c.QueryRange(t.Context(), sevenMinutes()); err == nil || !strings.Contains(err.Error(), "answered 503") {
		t.Errorf("got %v", err)
	}
	equal(t, len(s.seen), 3)
}

func TestALabelSetThatComesTwiceInALaneIsAnError(t *testing.T) {
	vm := header("X-Server-Hostname", "vm")
	twice := fmt.Sprintf(`{"metric":{"a":"b"},"values":[[%d,"1"]]},{"metric":{"a":"b"},"values":[[%d,"2"]]}`, noon.Unix(), noon.Unix())
	s := &fakeServer{replies: []reply{{header: vm, body: emptyVector}, {header: vm, body: matrix(twice)}, {header: vm, body: emptyMatrix}}}
	c := newClient(t, s, nil)
	ask(t, c, up())
	if _, err := c.QueryRange(t.Context(), sevenMinutes()); err == nil || !strings.Contains(err.Error(), `two series {a="b"}`) {
		t.Errorf("got %v", err)
	}
}

// TestLanesDealOutEachTimeOnce holds lanes against the times they are made of.
func TestLanesDealOutEachTimeOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		step := rapid.Int64Range(1, 100).Draw(t, "step") * 500
		from := rapid.Int64Range(-1e6, 1e12).Draw(t, "from")
		times := grid{from, from + rapid.Int64Range(0, 300*step).Draw(t, "length"), step}
		usual := time.Duration(rapid.Int64Range(1, 200).Draw(t, "usual")) * 500 * time.Millisecond
		p := &pastQuery{times: times, usual: stepString(usual)}

		seen := map[int64]int{}
		for n := range p.lanes() {
			l := p.lane(n)
			if l.step != p.usual || l.times.steps() > 1 && time.Duration(l.times.step)*time.Millisecond != usual {
				t.Fatalf("lane %d has times %v and step %s", n, l.times, l.step)
			}
			for i := range l.times.steps() {
				seen[l.times.from+i*l.times.step]++
			}
		}
		want := map[int64]int{}
		for i := range times.steps() {
			want[times.from+i*times.step] = 1
		}
		if d := cmp.Diff(want, seen); d != "" {
			t.Fatalf("(-want +got)\n%s", d)
		}
	})
}

func TestParseStep(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"300s": 5 * time.Minute, "5m": 5 * time.Minute, "1500ms": 1500 * time.Millisecond, "60": time.Minute, "0.5": time.Second / 2, "1h30m": 90 * time.Minute,
	} {
		if got, ok := parseStep(text); !ok || got != want {
			t.Errorf("%q: got %s, %t", text, got, ok)
		}
	}
	for _, text := range []string{"", "1i", "x", "-5", "NaN", "1e300", "0"} {
		if got, ok := parseStep(text); ok {
			t.Errorf("%q: got %s", text, got)
		}
	}
}
