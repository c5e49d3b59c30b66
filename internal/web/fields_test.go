package web

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
)

// Ids have 64 bits, of which a reader with floating-point numbers keeps 53.
func TestIDsAreTexts(t *testing.T) {
	for _, path := range []string{"/api/v1/rules", "/api/v1/alerts"} {
		n := 0
		for _, line := range flatten(t, getOK(t, demoServer(), path)) {
			where, value, _ := strings.Cut(line, " = ")
			key := where[strings.LastIndexByte(where, '.')+1:]
			if key == "id" || strings.HasSuffix(key, "_id") {
				n++
				if !strings.HasPrefix(value, `"`) {
					t.Errorf("%s: %s", path, line)
				}
			}
		}
		if n == 0 {
			t.Errorf("%s: there are no ids", path)
		}
	}
}

func TestRulesTellTheirGroupAndFile(t *testing.T) {
	var a struct {
		Data struct {
			Groups []struct {
				ID, Name, File string
				Rules          []struct {
					GroupID   string `json:"group_id"`
					GroupName string `json:"group_name"`
					File      string
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(getOK(t, demoServer(), "/api/v1/rules")), &a); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, g := range a.Data.Groups {
		for _, r := range g.Rules {
			n++
			if r.GroupID != g.ID || r.GroupName != g.Name || r.File != g.File {
				t.Errorf("a rule of %s %s in %s says %+v", g.ID, g.Name, g.File, r)
			}
		}
	}
	if n != 6 {
		t.Errorf("%d rules", n)
	}
}

func TestLongExpressionOfManyLinesIsShownInFull(t *testing.T) {
	g := demoGroup()
	expr := strings.Repeat("sum(\"a\\\\b\") by (<x>)\n\t + ", 5000) + "1"
	g.Rules[1].Rule.Expr = expr
	s := New(Options{State: demoState(g)})
	var rule struct{ Query string }
	var alert struct{ Expression string }
	group := "group_id=" + id(g.ID)
	for target, into := range map[string]any{
		"/api/v1/rule?" + group + "&rule_id=" + id(g.Rules[1].ID):               &rule,
		"/api/v1/alert?" + group + "&alert_id=" + id(g.Rules[1].Alerts()[0].ID): &alert,
	} {
		if err := json.Unmarshal([]byte(getOK(t, s, target)), into); err != nil {
			t.Fatal(err)
		}
	}
	if rule.Query != expr || alert.Expression != expr {
		t.Errorf("%d and %d bytes of %d", len(rule.Query), len(alert.Expression), len(expr))
	}
}

func TestUnsupportedPathIsNothingToLog(t *testing.T) {
	var log strings.Builder
	s := New(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	for _, path := range []string{"/nosuch", "/api/v1/rules?type=x", "/api/v1/group?group_id=1", "/vmalert/rule"} {
		get(t, s, path)
	}
	if log.Len() > 0 {
		t.Errorf("logged: %s", log.String())
	}
}
