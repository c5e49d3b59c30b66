package web

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/rules"
)

// ours are the fields that vmalert does not have.
var ours = []string{"keepFiringFor", "limit", "lastSuccess", "queued", "oldest", "gaps"}

// flatten returns JSON as one line per value, with its path, in the order of the
// text, so that two documents are equal only if their keys are in one order.
func flatten(t *testing.T, data string) []string {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(data))
	d.UseNumber()
	var lines []string
	var walk func(path string)
	walk = func(path string) {
		tok, err := d.Token()
		if err != nil {
			t.Fatalf("not JSON at %s: %s\n%s", path, err, data)
		}
		delim, nested := tok.(json.Delim)
		if !nested {
			lines = append(lines, fmt.Sprintf("%s = %#v", path, tok))
			return
		}
		lines = append(lines, path+" "+delim.String())
		for i := 0; d.More(); i++ {
			key := fmt.Sprint(i)
			if delim == '{' {
				tok, err := d.Token()
				if err != nil {
					t.Fatalf("not JSON at %s: %s", path, err)
				}
				key = tok.(string)
			}
			walk(path + "." + key)
		}
		if _, err := d.Token(); err != nil {
			t.Fatalf("not JSON at the end of %s: %s", path, err)
		}
	}
	walk("")
	if d.More() {
		t.Fatalf("more follows the JSON: %s", data)
	}
	return lines
}

// captured returns an answer of vmalert, flattened.
func captured(t *testing.T, name string, replace ...string) []string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return flatten(t, strings.NewReplacer(replace...).Replace(string(b)))
}

// known returns an answer of ours, flattened, without the fields that are only
// ours. A group's evaluationTime is: it follows the field limit.
func known(t *testing.T, body string) []string {
	t.Helper()
	lines := flatten(t, body)
	var kept []string
	afterLimit := false
	for _, line := range lines {
		path, _, _ := strings.Cut(line, " ")
		key := path[strings.LastIndexByte(path, '.')+1:]
		extra := slices.Contains(ours, key) || key == "evaluationTime" && afterLimit
		afterLimit = key == "limit"
		if !extra {
			kept = append(kept, line)
		}
	}
	return kept
}

func TestRulesAreAsCaptured(t *testing.T) {
	body := getOK(t, demoServer(), "/api/v1/rules")
	if diff := cmp.Diff(captured(t, "rules.json"), known(t, body)); diff != "" {
		t.Errorf("(-vmalert +tocsin)\n%s", diff)
	}
}

func TestAlertsAreAsCaptured(t *testing.T) {
	body := getOK(t, demoServer(), "/api/v1/alerts")
	if diff := cmp.Diff(captured(t, "alerts.json"), known(t, body)); diff != "" {
		t.Errorf("(-vmalert +tocsin)\n%s", diff)
	}
}

func TestNotifiersAreAsCaptured(t *testing.T) {
	body := getOK(t, demoServer(), "/api/v1/notifiers")
	if diff := cmp.Diff(captured(t, "notifiers.json"), known(t, body)); diff != "" {
		t.Errorf("(-vmalert +tocsin)\n%s", diff)
	}
}

// untimed blanks what depends on the round a capture was made in.
func untimed(lines []string) []string {
	for i, line := range lines {
		path, _, _ := strings.Cut(line, " ")
		if strings.HasSuffix(path, ".evaluationTime") || strings.HasSuffix(path, ".lastEvaluation") {
			lines[i] = path
		}
	}
	return lines
}

func TestGroupIsAsCaptured(t *testing.T) {
	body := getOK(t, demoServer(), "/vmalert/api/v1/group?group_id=3282191581672841545")
	want := captured(t, "group.json", "13%3A47%3A42Z", "13%3A47%3A40Z") // one round later
	if diff := cmp.Diff(untimed(want), untimed(known(t, body))); diff != "" {
		t.Errorf("(-vmalert +tocsin)\n%s", diff)
	}
}

func TestRuleIsAsCapturedWithItsUpdatesNewestFirst(t *testing.T) {
	var golden struct {
		Updates []struct {
			Time, At time.Time
			Duration time.Duration
			Samples  int
			Curl     string
		}
	}
	b, err := os.ReadFile("testdata/rule.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &golden); err != nil {
		t.Fatal(err)
	}
	g := demoGroup()
	r := &g.Rules[1]
	var updates []rules.Update
	lines := map[time.Time]string{}
	for _, u := range slices.Backward(golden.Updates) {
		updates = append(updates, rules.Update{
			Began: rules.InstantOf(u.Time), At: rules.InstantOf(u.At), Duration: u.Duration, Samples: u.Samples,
		})
		lines[u.At] = u.Curl
	}
	r.History = rules.HistoryOf(updates...)
	state := demoState(g)
	state.RequestLine = func(q rules.Query) string { return lines[q.Time] }
	body := getOK(t, New(Options{State: state}), "/api/v1/rule?group_id=3282191581672841545&rule_id=5278699922878458567")
	if diff := cmp.Diff(captured(t, "rule.json"), known(t, body)); diff != "" {
		t.Errorf("(-vmalert +tocsin)\n%s", diff)
	}
}

func TestAlertByIDIsAsListed(t *testing.T) {
	body := getOK(t, demoServer(), "/api/v1/alert?group_id=3282191581672841545&alert_id=1866284317657877359")
	var want []string
	for _, line := range captured(t, "alerts.json") {
		if rest, ok := strings.CutPrefix(line, ".data.alerts.1"); ok {
			want = append(want, rest)
		}
	}
	if diff := cmp.Diff(want, known(t, body)); diff != "" {
		t.Errorf("(-vmalert +tocsin)\n%s", diff)
	}
}

func TestAnswersBeginWithStatusSuccessAndHaveTheExactContentType(t *testing.T) {
	for _, path := range []string{"/api/v1/rules", "/vmalert/api/v1/rules", "/api/v1/alerts", "/vmalert/api/v1/alerts", "/api/v1/notifiers", "/vmalert/api/v1/notifiers"} {
		resp, body := get(t, demoServer(), path)
		if got := resp.Header["Content-Type"]; !slices.Equal(got, []string{"application/json"}) {
			t.Errorf("%s: Content-Type %q", path, got)
		}
		if !strings.HasPrefix(body, `{"status":"success",`) {
			t.Errorf("%s: begins with %.40s", path, body)
		}
	}
}

func TestFlagsAreAsCaptured(t *testing.T) {
	want, err := os.ReadFile("testdata/flags.txt")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Flags: []Flag{{"neverGiven", "x", false}}}
	for line := range strings.Lines(string(want)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		var text string
		if err := json.Unmarshal([]byte(value), &text); err != nil {
			t.Fatal(err)
		}
		o.Flags = append(o.Flags, Flag{strings.TrimPrefix(name, "-"), text, true})
	}
	if got := getOK(t, New(o), "/flags"); got != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
