package alertmanager

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

func encoded(alerts ...rules.Alert) (string, int) {
	var e encoder
	e.begin()
	for i := range alerts {
		s := stateOf(&alerts[i])
		e.add(&s)
	}
	body, n := e.finish()
	return string(body), n
}

func TestAlertOnTheWire(t *testing.T) {
	start := time.Date(2026, 11, 22, 13, 47, 22, 0, time.FixedZone("", 3600))
	got, n := encoded(rules.Alert{
		Labels:       labels.FromStrings("alertname", "AlwaysFiring", "team", "infra"),
		Annotations:  labels.FromStrings("summary", "value 1"),
		StartsAt:     start,
		EndsAt:       start.Add(28179 * time.Millisecond),
		GeneratorURL: rules.Link{Base: "http://tocsin.example/vmalert/alert?group_id=1&alert_id=", AlertID: 2},
	}, rules.Alert{
		Labels: labels.FromStrings("alertname", "Bare"),
	})
	want := `[{"startsAt":"2026-11-22T12:47:22Z",` +
		`"generatorURL":"http://tocsin.example/vmalert/alert?group_id=1\u0026alert_id=2",` +
		`"endsAt":"2026-11-22T12:47:50.179Z",` +
		`"labels":{"alertname":"AlwaysFiring","team":"infra"},"annotations":{"summary":"value 1"}},` +
		`{"labels":{"alertname":"Bare"},"annotations":{}}]`
	if got != want || n != 2 {
		t.Errorf("%d alerts:\n%s\nwant:\n%s", n, got, want)
	}
}

func TestDroppedAlertLeavesNoComma(t *testing.T) {
	bare := rules.Alert{Labels: labels.FromStrings("only", "")}
	full := rules.Alert{Labels: labels.FromStrings("a", "1")}
	const one = `{"labels":{"a":"1"},"annotations":{}}`
	for _, tt := range []struct {
		alerts []rules.Alert
		want   string
	}{
		{nil, `[]`},
		{[]rules.Alert{bare}, `[]`},
		{[]rules.Alert{bare, full}, `[` + one + `]`},
		{[]rules.Alert{full, bare}, `[` + one + `]`},
		{[]rules.Alert{full, bare, full}, `[` + one + `,` + one + `]`},
	} {
		if got, _ := encoded(tt.alerts...); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestLabelNamesAreSanitized(t *testing.T) {
	for _, tt := range []struct {
		name   string
		labels []string
		want   map[string]string
	}{
		{"valid names stay", []string{"a_B9", "1", "_x", "2"}, map[string]string{"a_B9": "1", "_x": "2"}},
		{"each character becomes one underscore", []string{"k8s.io/é-x", "1"}, map[string]string{"k8s_io___x": "1"}},
		{"bytes that are no character as well", []string{"a\xffb", "1"}, map[string]string{"a_b": "1"}},
		{"empty values are dropped", []string{"a", "1", "b", ""}, map[string]string{"a": "1"}},
		{"nameless labels are dropped", []string{"", "1", "b", "2"}, map[string]string{"b": "2"}},
		{"the name that needed no change wins", []string{"a.b", "1", "a_b", "2"}, map[string]string{"a_b": "2"}},
		{"an empty one does not count", []string{"a.b", "1", "a_b", ""}, map[string]string{"a_b": "1"}},
		{"else the first in order", []string{"a-b", "1", "a.b", "2"}, map[string]string{"a_b": "1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body, _ := encoded(rules.Alert{Labels: labels.FromStrings(tt.labels...)})
			var got []wireAlert
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatalf("%v in %s", err, body)
			}
			if diff := cmp.Diff(tt.want, got[0].Labels); diff != "" {
				t.Error(diff)
			}
			if keys := strings.Count(body, `":"`); keys != len(tt.want) {
				t.Errorf("%d labels in %s, want %d: a name is given twice", keys, body, len(tt.want))
			}
		})
	}
}

func TestLinkAlertmanagerCannotParseIsLeftOut(t *testing.T) {
	var c linkChecker
	for _, tt := range []struct {
		base string
		want bool
	}{
		{"", false},
		{"http://host/a?b=c", true},
		{"http://host/a?b=%zz", true}, // a query is not unescaped when a URL is read
		{"http://host/a%zz", false},
		{"http://host/a b", true}, // as url.ParseRequestURI has it
		{"http://host/a\nb", false},
		{"http://host:port/a", false},
		{"http://host", true},
		{"/relative", true},
		{"no link", false},
		{"https://user:pass@host/x", true},
	} {
		for range 2 { // what the first answer taught must not change the second
			for _, l := range []rules.Link{{Base: tt.base}, {Base: tt.base, AlertID: 42}} {
				_, err := url.ParseRequestURI(l.String())
				if want := err == nil; c.valid(l) != want || l.AlertID == 0 && want != tt.want {
					t.Errorf("valid(%q) is not %v", l, want)
				}
			}
		}
	}
}

// FuzzEncode compares with encoding/json what is read back.
func FuzzEncode(f *testing.F) {
	f.Add("alertname", "A", "summary", "line\nwith \"quotes\" \\ and \x01 \xff \u2028", "http://host/x?y=<z>", int64(1e18))
	f.Add("a.b", "", "", "\t\r\x7f\xc3\x28", "http://host/%", int64(-1))
	f.Add("é", "\xed\xa0\x80", "x", "😀\x00", "", int64(0))
	f.Fuzz(func(t *testing.T, name, value, annotation, text, link string, at int64) {
		a := rules.Alert{
			Labels:       labels.FromStrings("alertname", "X", name, value),
			Annotations:  labels.FromStrings(annotation, text),
			GeneratorURL: rules.Link{Base: link},
			StartsAt:     rules.Instant(at).Time(),
		}
		body, n := encoded(a, a)
		var got []wireAlert
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatalf("%v in %q", err, body)
		}
		if !utf8.ValidString(body) || n != 2 || len(got) != 2 {
			t.Fatalf("%d alerts, %d read, in %q", n, len(got), body)
		}
		if diff := cmp.Diff(got[0], got[1]); diff != "" {
			t.Errorf("the same alert twice differs: %s", diff)
		}
		if want := map[string]string{asJSON(t, annotation): asJSON(t, text)}; !cmp.Equal(want, got[0].Annotations) {
			t.Errorf("annotations %q, want %q", got[0].Annotations, want)
		}
		if !got[0].StartsAt.Equal(a.StartsAt) {
			t.Errorf("startsAt %s, want %s", got[0].StartsAt, a.StartsAt)
		}
		if validName(name) && name != "" && name != "alertname" && value != "" {
			if v := got[0].Labels[name]; v != asJSON(t, value) {
				t.Errorf("label %q is %q, want %q", name, v, value)
			}
		}
	})
}

// asJSON returns s as encoding/json makes it arrive.
func asJSON(t *testing.T, s string) string {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back string
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	return back
}
