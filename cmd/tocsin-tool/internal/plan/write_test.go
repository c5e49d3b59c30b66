package plan

import (
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLinesOfGroups(t *testing.T) {
	key := Key{Name: "node", File: "f.yml"}
	for want, g := range map[string]Group{
		`~ group "node" (f.yml): interval`:                                  {Key: key, Action: "changed", Fields: []string{"interval"}},
		`~ group "node" (f.yml)`:                                            {Key: key, Action: "changed"},
		`+ group "node" (f.yml): added`:                                     {Key: key, Action: "added"},
		`- group "node" (f.yml): removed`:                                   {Key: key, Action: "removed"},
		`> group "node" (f.yml) moved from g.yml`:                           {Key: key, Action: "moved", From: &Key{Name: "node", File: "g.yml"}},
		`> group "node" (f.yml) moved from group "x" (g.yml): limit, order`: {Key: key, Action: "moved", From: &Key{Name: "x", File: "g.yml"}, Fields: []string{"limit", "order"}},
		`? group "node" (f.yml): frozen, limit`:                             {Key: key, Action: "frozen", Fields: []string{"limit"}},
		`+ group "a\nb" (x y): added`:                                       {Key: Key{Name: "a\nb", File: "x\x1by"}, Action: "added"},
	} {
		if got := g.line(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestLinesOfRules(t *testing.T) {
	x := &Key{Name: "x", File: "y.yml"}
	for want, r := range map[string]Rule{
		`~ alert "HighLoad": expr, for`:                                                  {Type: "alerting", Name: "HighLoad", Action: "changed", Fields: []string{"expr", "for"}},
		`- alert "Old": removed, 2 alerts will be resolved`:                              {Type: "alerting", Name: "Old", Action: "removed", Resolved: 2},
		`- alert "Old": removed, 1 pending alert will be dropped`:                        {Type: "alerting", Name: "Old", Action: "removed", Reset: 1},
		`> record "a:b" moved from group "x" (y.yml)`:                                    {Type: "recording", Name: "a:b", Action: "moved", From: x},
		`> alert "B" renamed from "A": labels, 1 alert will be resolved`:                 {Type: "alerting", Name: "B", Action: "moved", FormerName: "A", Fields: []string{"labels"}, Resolved: 1},
		`> alert "B" renamed from "A" moved from group "x" (y.yml)`:                      {Type: "alerting", Name: "B", Action: "moved", FormerName: "A", From: x},
		`~ alert "Slow": for, 3 alerts will be resolved, 2 alerts will be pending again`: {Type: "alerting", Name: "Slow", Action: "changed", Fields: []string{"for"}, Resolved: 3, Reset: 2},
		`+ record "c:d": added`:                                                          {Type: "recording", Name: "c:d", Action: "added"},
		`~ alert "e\x1b[31m": a b`:                                                       {Type: "alerting", Name: "e\x1b[31m", Action: "changed", Fields: []string{"a\nb"}},
	} {
		if got := r.line(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestTotalsLeaveOutWhatIsNot(t *testing.T) {
	full := Totals{Groups: Counts{1, 2, 3, 4, 5}, Rules: Counts{Changed: 6, Kept: 7}}
	full.Alerts.Resolved, full.Alerts.Reset = 8, 9
	for want, totals := range map[string]Totals{
		"Nothing would change.":                  {},
		"Nothing would change. Groups: 12 kept.": {Groups: Counts{Kept: 12}},
		"Groups: 1 added, 2 changed, 3 moved, 5 removed, 4 kept. Rules: 6 changed, 7 kept. Alerts: 8 resolved, 9 reset.": full,
	} {
		a := Answer{Totals: &totals}
		if got := a.totals(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// FuzzAnswer writes whatever decodes: a line for each group and rule and one of
// totals, none of which can steer a terminal.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		`{"status":"success","data":{"outcome":"applied","totals":{},"groups":[{"name":"a\u001b","file":"b\n","action":"moved","from":{},"fields":["\u0000"],"rules":[{"name":"\u2028","action":"x","reset":1}]}]}}`,
		`{"status":"success","data":{"outcome":"refused","totals":{"groups":{"kept":-1}},"problems":["a\nb","\u0007"],"groups":[]}}`,
		`{"status":"success","data":{}}`, `null`, ``, `{"error":"x"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		_ = reason(body) // must not fail
		a, err := decode(body)
		if err != nil {
			return
		}
		var out strings.Builder
		if err := a.Write(&out); err != nil {
			t.Fatal(err)
		}
		want := len(a.Groups) + 1
		for _, g := range a.Groups {
			want += len(g.Rules)
		}
		if got := strings.Count(out.String(), "\n"); got != want {
			t.Fatalf("%d lines, want %d: %q", got, want, &out)
		}
		if got := strings.Count(a.Complaint(), "\n"); got != len(a.Problems) {
			t.Fatalf("%d lines for %d problems", got, len(a.Problems))
		}
		if text := strings.ReplaceAll(out.String()+a.Complaint(), "\n", ""); printable(text) != text {
			t.Fatalf("not fit for a terminal: %q", text)
		}
	})
}
