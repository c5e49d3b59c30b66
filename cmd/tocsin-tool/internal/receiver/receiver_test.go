package receiver

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// transcript collects what a Receiver tells, as "+Name" and "-Name".
type transcript struct{ lines []string }

func (s *transcript) tell(c Change) {
	sign := "+"
	if c.Resolved {
		sign = "-"
	}
	s.lines = append(s.lines, sign+c.Alert.Name())
}

func send(t *testing.T, r *Receiver, body string) int {
	t.Helper()
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/api/v2/alerts", strings.NewReader(body)))
	return w.Code
}

func alertJSON(name string, endsIn time.Duration) string {
	return fmt.Sprintf(`{"labels":{"alertname":%q},"startsAt":"2024-01-01T00:00:00Z","endsAt":%q}`,
		name, time.Now().Add(endsIn).Format(time.RFC3339Nano))
}

func TestEachTransitionIsToldOnce(t *testing.T) {
	var got transcript
	r := New(got.tell)
	for _, body := range []string{
		"[" + alertJSON("A", time.Hour) + "," + alertJSON("B", time.Hour) + "]",
		"[" + alertJSON("A", time.Hour) + "]",                                      // sent again
		"[" + alertJSON("A", -time.Second) + "," + alertJSON("B", time.Hour) + "]", // A resolved
		"[" + alertJSON("A", -time.Minute) + "]",                                   // sent again
		"[" + alertJSON("A", time.Hour) + "]",                                      // fires anew
	} {
		if code := send(t, r, body); code != http.StatusOK {
			t.Fatalf("answer is %d", code)
		}
	}
	if diff := cmp.Diff([]string{"+A", "+B", "-A", "+A"}, got.lines); diff != "" {
		t.Error(diff)
	}
}

func TestResolvedAlertNeverSeenFiringIsNotToldAbout(t *testing.T) {
	var got transcript
	send(t, New(got.tell), "["+alertJSON("A", -time.Second)+"]")
	if len(got.lines) != 0 {
		t.Errorf("told %q", got.lines)
	}
}

func TestAlertWithoutEndFires(t *testing.T) {
	var got transcript
	send(t, New(got.tell), `[{"labels":{"alertname":"A"}}]`)
	if diff := cmp.Diff([]string{"+A"}, got.lines); diff != "" {
		t.Error(diff)
	}
}

func TestAlertWithoutLabelsDoesNotHinderOthers(t *testing.T) {
	var got transcript
	if code := send(t, New(got.tell), `[{"labels":{}},`+alertJSON("A", time.Hour)+`]`); code != http.StatusBadRequest {
		t.Errorf("answer is %d, want 400", code)
	}
	if diff := cmp.Diff([]string{"+A"}, got.lines); diff != "" {
		t.Error(diff)
	}
}

func TestBrokenBodyIsRefused(t *testing.T) {
	for _, body := range []string{"", "{", `[{"labels":[]}]`} {
		if code := send(t, New(func(Change) {}), body); code != http.StatusBadRequest {
			t.Errorf("body %q is answered with %d, want 400", body, code)
		}
	}
}

func TestLineOfAlert(t *testing.T) {
	at := time.Date(2024, 5, 6, 14, 3, 2, 0, time.UTC)
	a := Alert{
		Labels:      map[string]string{"alertname": "QueueBacklog", "alertgroup": "demo", "severity": "page", "queue": "a\"b\x1b[2J"},
		Annotations: map[string]string{"summary": "97 jobs\nwait\x1b[31m"},
	}
	for _, c := range []struct {
		name     string
		resolved bool
		colour   bool
		want     string
	}{
		{"firing", false, false, `14:03:02  FIRING    QueueBacklog  queue="a\"b\x1b[2J" severity="page"  97 jobs wait [31m`},
		{"resolved", true, false, `14:03:02  RESOLVED  QueueBacklog  queue="a\"b\x1b[2J" severity="page"`},
		{"coloured", true, true, "\x1b[2m14:03:02\x1b[0m  \x1b[32;1mRESOLVED\x1b[0m  \x1b[1mQueueBacklog\x1b[0m  \x1b[2mqueue=\"a\\\"b\\x1b[2J\" severity=\"page\"\x1b[0m"},
	} {
		t.Run(c.name, func(t *testing.T) {
			change := Change{At: at, Alert: a, Resolved: c.resolved}
			if diff := cmp.Diff(c.want, change.Line(c.colour)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzLine holds that nothing received can break a line.
func FuzzLine(f *testing.F) {
	f.Add("Name", "label", "value", "summary\n")
	f.Fuzz(func(t *testing.T, name, label, value, summary string) {
		c := Change{Alert: Alert{
			Labels:      map[string]string{"alertname": name, label: value},
			Annotations: map[string]string{"summary": summary},
		}}
		if line := c.Line(false); strings.ContainsAny(line, "\n\r\x1b\a\b") {
			t.Errorf("line %q", line)
		}
	})
}
