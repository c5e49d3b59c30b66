package world

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tocsin/config"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func small() *World {
	return New(Options{
		Seed: 1, Start: epoch, Duration: 2 * time.Minute, Interval: time.Second,
		Pairs: 3, PerGroup: 2, Series: 3, Steady: 20 * time.Second, For: 15 * time.Second, Lag: 5 * time.Second,
	})
}

// answered is a series of an answer: labels, and values by time as it is written.
type answered struct {
	Metric map[string]string `json:"metric"`
	Value  [2]any            `json:"value"`
	Values [][2]any          `json:"values"`
}

func ask(t testing.TB, s *Source, path string, form url.Values) []answered {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	var a struct {
		Data struct {
			Result []answered `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s %v: status %d, %v: %s", path, form, w.Code, err, w.Body)
	}
	return a.Data.Result
}

func instantForm(expr string, at time.Time) url.Values {
	return url.Values{"query": {expr}, "time": {at.Format(time.RFC3339)}, "step": {"5m"}}
}

// TestRangeSaysWhatInstantQueriesSay is what makes catching up checkable.
func TestRangeSaysWhatInstantQueriesSay(t *testing.T) {
	w := small()
	s := NewSource(w)
	for _, expr := range []string{
		`faults_source{rule="faults:r0_1"}`, `faults_alert{rule="Alert1x0"}`,
	} {
		want := map[string]string{}
		for at := epoch; !at.After(w.End()); at = at.Add(3 * time.Second) {
			for _, e := range ask(t, s, "/api/v1/query", instantForm(expr, at)) {
				want[fmt.Sprint(e.Metric, e.Value[0])] = fmt.Sprint(e.Value[1])
			}
		}
		got := map[string]string{}
		for _, e := range ask(t, s, "/api/v1/query_range", url.Values{
			"query": {expr}, "start": {strconv.FormatInt(epoch.Unix(), 10)},
			"end": {strconv.FormatInt(w.End().Unix(), 10)}, "step": {"3s"},
		}) {
			for _, v := range e.Values {
				got[fmt.Sprint(e.Metric, v[0])] = fmt.Sprint(v[1])
			}
		}
		if len(want) < 10 {
			t.Fatalf("%s has only %d samples", expr, len(want))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, instant (-) and range (+):\n%s", expr, diff)
		}
	}
}

func TestLateDataIsFromThePastAndNeverGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := small().Options
		o.Start = time.Now()
		w := New(o)
		s := NewSource(w)
		last := int64(0)
		for second := range 30 {
			switch second {
			case 5:
				s.Delay(4 * time.Second)
			case 20:
				s.Delay(0)
			}
			now := time.Now()
			data := now
			if second >= 5 && second < 20 {
				if data = now.Add(-4 * time.Second); second < 9 {
					data = o.Start.Add(5 * time.Second) // nothing new yet
				}
			}
			for _, e := range ask(t, s, "/api/v1/query", instantForm(`faults_source{rule="faults:r0_0"}`, now)) {
				if e.Metric[SeriesLabel] != "0" {
					continue
				}
				want, _ := w.Value("faults:r0_0", 0, data)
				if got := e.Value[1]; got != strconv.FormatFloat(want, 'f', -1, 64) {
					t.Errorf("after %ds the value is %v, want %v", second, got, want)
				}
				if e.Value[0] != float64(now.Unix()) {
					t.Errorf("after %ds the answer is of %v, want %d", second, e.Value[0], now.Unix())
				}
			}
			if data.Unix() < last {
				t.Errorf("after %ds the data went back", second)
			}
			last = data.Unix()
			time.Sleep(time.Second)
		}
	})
}

func TestLateDataDoesNotChangeWhatIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSource(small())
		old := instantForm(`faults_source{rule="faults:r0_0"}`, time.Now().Add(-10*time.Second))
		want := ask(t, s, "/api/v1/query", old)
		s.Delay(5 * time.Second)
		if diff := cmp.Diff(want, ask(t, s, "/api/v1/query", old)); diff != "" {
			t.Errorf("in time (-) and late (+):\n%s", diff)
		}
	})
}

// TestFiringsAreWhatTheDataShows evaluates the alerts step by step.
func TestFiringsAreWhatTheDataShows(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		o := small().Options
		o.Seed = rapid.Uint64().Draw(r, "seed")
		w := New(o)
		firings := w.Firings()
		for _, g := range w.Groups {
			for _, alert := range g.Alerts {
				for i := range w.Series {
					want := slices.DeleteFunc(slices.Clone(firings), func(f Firing) bool { return f.Alert != alert || f.Instance != i })
					if diff := cmp.Diff(want, evaluate(w, &g, alert, i)); diff != "" {
						r.Fatalf("%s/%d (-computed +evaluated):\n%s", alert, i, diff)
					}
				}
			}
		}
	})
}

func evaluate(w *World, g *Group, alert string, i int) []Firing {
	var all []Firing
	var cur *Firing
	for _, at := range g.Times(w.Start, w.End().Add(time.Minute)) {
		on := w.On(alert, i, at)
		switch {
		case on && cur == nil:
			cur = &Firing{Alert: alert, Instance: i, Interval: g.Interval, Active: at}
			for cur.Fires = at; cur.Fires.Sub(at) < w.For; cur.Fires = cur.Fires.Add(g.Interval) {
			}
		case !on && cur != nil:
			cur.Resolves = at
			all = append(all, *cur)
			cur = nil
		}
	}
	return all
}

func TestWorldHasAlertsThatFireAndAlertsThatDoNot(t *testing.T) {
	fire, never := 0, 0
	for _, f := range small().Firings() {
		if f.Never() {
			never++
		} else {
			fire++
		}
	}
	if fire < 20 || never < 3 {
		t.Errorf("%d firings fire and %d never do", fire, never)
	}
}

func TestSeriesComeAndGo(t *testing.T) {
	w := small()
	there, gone := 0, 0
	for at := epoch; at.Before(w.End()); at = at.Add(time.Second) {
		if _, ok := w.Value("faults:r0_0", 0, at); !ok {
			t.Fatalf("the first series has a gap at %s", at)
		}
		if _, ok := w.Value("faults:r0_0", w.Series-1, at); ok {
			there++
		} else {
			gone++
		}
	}
	if there == 0 || gone == 0 {
		t.Errorf("the last series is there %d times and gone %d times", there, gone)
	}
}

// TestRuleFilesAreValid loads all groups as the daemon does, in two editions.
func TestRuleFilesAreValid(t *testing.T) {
	w := small()
	for edition := range 2 {
		for i := range w.Groups {
			path := t.TempDir() + "/rules.yml"
			writeFile(t, path, w.RuleFile(&w.Groups[i], edition))
			groups := loadRules(t, path)
			if len(groups) != 1 || groups[0].Interval != w.Groups[i].Interval || len(groups[0].Rules) != 2 {
				t.Errorf("edition %d of group %d is loaded as %+v", edition, i, groups)
			}
			if groups[0].Rules[0].Kind == config.Alerting && groups[0].Rules[0].For != w.For {
				t.Errorf("for is %s, want %s", groups[0].Rules[0].For, w.For)
			}
		}
	}
}

func TestNonsenseIsRefused(t *testing.T) {
	s := NewSource(small())
	for _, c := range []struct{ path, form string }{
		{"/api/v1/query", "query=up"},
		{"/api/v1/query", `query=faults_source{rule="faults:r9_9"}`},
		{"/api/v1/query", `query=faults_source{rule="faults:r0_0"}&time=noon`},
		{"/api/v1/query_range", `query=faults_source{rule="faults:r0_0"}&start=1&end=2&step=0`},
		{"/api/v1/query_range", `query=faults_source{rule="faults:r0_0"}&start=2&end=1&step=1`},
		{"/api/v1/query_range", `query=faults_source{rule="faults:r0_0"}&start=1&end=1e8&step=1`},
	} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, c.path+"?"+c.form, nil))
		if w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s?%s gives %d", c.path, c.form, w.Code)
		}
	}
}

func FuzzQueryArguments(f *testing.F) {
	f.Add("2026-03-01T12:00:00Z", "1772366400.5", "5s")
	f.Add("1e300", "NaN", "-1")
	f.Add("0", "1", "1e-9")
	s := NewSource(small())
	f.Fuzz(func(t *testing.T, start, end, step string) {
		form := url.Values{"query": {`faults_source{rule="faults:r0_0"}`}, "start": {start}, "end": {end}, "step": {step}, "time": {start}}
		for _, path := range []string{"/api/v1/query", "/api/v1/query_range"} {
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path+"?"+form.Encode(), nil))
			if !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s?%s answers %q", path, form.Encode(), w.Body)
			}
		}
	})
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func loadRules(t *testing.T, path string) []config.Group {
	t.Helper()
	set, err := config.Load(t.Context(), config.Options{Patterns: []string{path}, ValidateExpressions: true})
	if err != nil {
		t.Fatal(err)
	}
	return set.Groups
}
