package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tocsin/rules"
)

// numbered gives snapshots the serials that publishing gives them.
func numbered(groups ...*rules.Snapshot) []*rules.Snapshot {
	for i, g := range groups {
		g.Serial = uint64(i + 1)
	}
	return groups
}

// revisit asks for target as a client does that has the answer named by tag.
func revisit(t testing.TB, s http.Handler, target, tag string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Header.Set("If-None-Match", tag)
	return send(t, s, r)
}

// tagged are paths whose answers have a tag while nothing changes.
func tagged(g *rules.Snapshot) []string {
	group := "group_id=" + id(g.ID)
	return []string{
		"/api/v1/rules", "/vmalert/api/v1/rules?type=alert&group_limit=1&page_num=1", "/api/v1/alerts", "/api/v1/notifiers",
		"/api/v1/alertmanagers", "/api/v1/group?" + group, "/api/v1/rule?" + group + "&rule_id=" + id(g.Rules[1].ID),
		"/api/v1/alert?" + group + "&alert_id=" + id(g.Rules[1].Alerts()[0].ID), "/api/v1/status/buildinfo",
		"/api/v1/status/flags", "/api/v1/status/reloads", "/vmalert/static/style.css", "/favicon.ico",
	}
}

func TestClientThatHasTheAnswerIsNotSentItAgain(t *testing.T) {
	groups := numbered(demo()...)
	s := New(Options{State: demoState(groups...)})
	for _, path := range tagged(groups[0]) {
		first, _ := get(t, s, path)
		tag := first.Header.Get("ETag")
		if !strings.HasPrefix(tag, `W/"`) || first.Header.Get("Cache-Control") == "" {
			t.Errorf("%s: ETag %s, Cache-Control %q", path, tag, first.Header.Get("Cache-Control"))
			continue
		}
		again, body := revisit(t, s, path, `"other", `+tag)
		if again.StatusCode != http.StatusNotModified || body != "" || again.Header.Get("ETag") != tag {
			t.Errorf("%s: status %d, ETag %s, body %.40q", path, again.StatusCode, again.Header.Get("ETag"), body)
		}
		if other, body := revisit(t, s, path, `W/"other"`); other.StatusCode != http.StatusOK || body == "" {
			t.Errorf("%s with another tag: status %d, body %.40q", path, other.StatusCode, body)
		}
	}
}

func TestHeadTellsTheTagToo(t *testing.T) {
	s := New(Options{State: demoState(numbered(demo()...)...)})
	resp, _ := get(t, s, "/api/v1/rules")
	tag := resp.Header.Get("ETag")
	for have, want := range map[string]int{"": http.StatusOK, tag: http.StatusNotModified} {
		r := httptest.NewRequest(http.MethodHead, "/api/v1/rules", nil)
		r.Header.Set("If-None-Match", have)
		if resp, _ := send(t, s, r); resp.StatusCode != want || resp.Header.Get("ETag") != tag {
			t.Errorf("HEAD with %s: status %d, ETag %s", have, resp.StatusCode, resp.Header.Get("ETag"))
		}
	}
}

func TestTagsOfAnotherProcessMeanNothing(t *testing.T) {
	first := New(Options{State: demoState(numbered(demo()...)...)})
	second := New(Options{State: demoState(numbered(demo()...)...)})
	resp, _ := get(t, first, "/api/v1/rules")
	if again, _ := revisit(t, second, "/api/v1/rules", resp.Header.Get("ETag")); again.StatusCode != http.StatusOK {
		t.Errorf("status %d", again.StatusCode)
	}
}

func TestAnswersMadeOfSnapshotsWithoutSerialHaveNoTag(t *testing.T) {
	resp, _ := get(t, demoServer(), "/api/v1/rules")
	if tag := resp.Header.Get("ETag"); tag != "" {
		t.Errorf("ETag %s", tag)
	}
}

func TestWhatIsNeverTheSameHasNoTag(t *testing.T) {
	resp, _ := get(t, New(Options{}), "/api/v1/status/runtimeinfo")
	if tag := resp.Header.Get("ETag"); tag != "" {
		t.Errorf("ETag %s", tag)
	}
}

func TestErrorsAndPostedQuestionsHaveNoTag(t *testing.T) {
	s := New(Options{State: demoState(numbered(demo()...)...)})
	if resp, _ := get(t, s, "/api/v1/rules?type=x"); resp.Header.Get("ETag") != "" {
		t.Errorf("an error has the tag %s", resp.Header.Get("ETag"))
	}
	tag := func() string { resp, _ := get(t, s, "/api/v1/rules"); return resp.Header.Get("ETag") }()
	r := httptest.NewRequest(http.MethodPost, "/api/v1/rules", strings.NewReader("type=record"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("If-None-Match", tag)
	if resp, body := send(t, s, r); resp.StatusCode != http.StatusOK || body == "" || resp.Header.Get("ETag") != "" {
		t.Errorf("POST: status %d, ETag %s", resp.StatusCode, resp.Header.Get("ETag"))
	}
}

func TestTagChangesWithEveryEvaluation(t *testing.T) {
	groups := numbered(demo()...)
	s := New(Options{State: demoState(groups...)})
	resp, _ := get(t, s, "/api/v1/rules?rule_group[]=second")
	tag := resp.Header.Get("ETag")
	next := *groups[0] // of another group
	next.Serial = 100
	groups[0] = &next
	if resp, _ := revisit(t, s, "/api/v1/rules?rule_group[]=second", tag); resp.StatusCode != http.StatusNotModified {
		t.Errorf("the other group was evaluated: status %d", resp.StatusCode)
	}
	next = *groups[1]
	next.Serial, next.LastEvaluation = 101, at("2026-11-22T13:47:46Z")
	groups[1] = &next
	resp, body := revisit(t, s, "/api/v1/rules?rule_group[]=second", tag)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("ETag") == tag || !strings.Contains(body, "13:47:46Z") {
		t.Errorf("the group was evaluated: status %d, ETag %s", resp.StatusCode, resp.Header.Get("ETag"))
	}
}

func TestTagOfNotifiersChangesWithTheirErrors(t *testing.T) {
	target := NotifierTarget{Address: "http://am"}
	s := New(Options{State: State{Notifiers: func() []NotifierGroup {
		return []NotifierGroup{{Kind: "static", Targets: []NotifierTarget{target}}}
	}}})
	resp, _ := get(t, s, "/api/v1/notifiers")
	target.LastError = "refused"
	if again, _ := revisit(t, s, "/api/v1/notifiers", resp.Header.Get("ETag")); again.StatusCode != http.StatusOK {
		t.Errorf("status %d", again.StatusCode)
	}
}

// history changes groups as evaluations and reloads do.
type history struct {
	groups []*rules.Snapshot
	serial uint64
}

func (h *history) publish(g *rules.Snapshot) *rules.Snapshot {
	h.serial++
	c := *g
	c.Serial, c.Rules = h.serial, slices.Clone(g.Rules)
	return &c
}

func (h *history) step(t *rapid.T) {
	i := rapid.IntRange(0, len(h.groups)).Draw(t, "group")
	if i == len(h.groups) {
		n := rapid.IntRange(0, 9).Draw(t, "name")
		h.groups = append(h.groups, h.publish(simpleGroup(fmt.Sprintf("%d.yml", h.serial), fmt.Sprintf("g%d", n), "A", "B")))
		return
	}
	switch rapid.IntRange(0, 3).Draw(t, "what") {
	case 0: // removed
		h.groups = slices.Delete(h.groups, i, i+1)
	case 1: // changes its place
		g := h.groups[i]
		h.groups = append(slices.Delete(h.groups, i, i+1), g)
	default: // evaluated
		g := h.publish(h.groups[i])
		r := &g.Rules[rapid.IntRange(0, 1).Draw(t, "rule")]
		r.RuleMemory = &rules.RuleMemory{History: r.History}
		if rapid.Bool().Draw(t, "fires") {
			setAlerts(r, rules.Instance{State: rules.Firing, ID: 7, Value: float64(h.serial)})
		}
		g.LastEvaluation = rules.InstantOf(time.Unix(int64(h.serial), 0))
		h.groups[i] = g
	}
}

func TestClientIsNeverLeftWithAnOldAnswer(t *testing.T) {
	paths := []string{
		"/api/v1/rules", "/api/v1/rules?state=firing", "/api/v1/rules?group_limit=2", "/api/v1/rules?group_limit=1&page_num=1",
		"/api/v1/rules?search=g1&exclude_alerts=1", "/api/v1/alerts", "/api/v1/alerts?" + url.Values{"rule_group[]": {"g2"}}.Encode(),
	}
	rapid.Check(t, func(rt *rapid.T) {
		h := &history{}
		state := demoState()
		state.Groups = func() []*rules.Snapshot { return slices.Clone(h.groups) }
		s := New(Options{State: state})
		kept := map[string][2]string{} // by path: tag and answer
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			h.step(rt)
			for _, path := range paths {
				fresh := getOK(t, s, path)
				resp, body := revisit(t, s, path, kept[path][0])
				if resp.StatusCode == http.StatusNotModified {
					body = kept[path][1]
				}
				if body != fresh {
					rt.Fatalf("%s: the client has\n%s\nand the answer is\n%s", path, body, fresh)
				}
				kept[path] = [2]string{resp.Header.Get("ETag"), body}
			}
		}
	})
}

func TestIfNoneMatch(t *testing.T) {
	const tag = `W/"abc"`
	for header, want := range map[string]bool{
		"": false, `W/"abc"`: true, `"abc"`: true, `"x", W/"abc"`: true, `W/"x",W/"abc" , "y"`: true, "*": true,
		`"abcd"`: false, `abc`: false, `W/"ab`: false, `"x,W/"`: false,
	} {
		if got := names([]string{header}, tag); got != want {
			t.Errorf("%s: %t", header, got)
		}
	}
	if !names([]string{`"x"`, tag}, tag) {
		t.Error("the second header is not looked at")
	}
}

// FuzzIfNoneMatch sends arbitrary headers: only one that has the tag in it is told
// that nothing changed.
func FuzzIfNoneMatch(f *testing.F) {
	for _, header := range []string{"", "*", `W/"abc"`, `"a", "b"`, `,,W/""`} {
		f.Add(header)
	}
	const tag = `W/"0123456789abcdef"`
	f.Fuzz(func(t *testing.T, header string) {
		if names([]string{header}, tag) && !strings.Contains(header, `"0123456789abcdef"`) && !strings.Contains(header, "*") {
			t.Fatalf("%q names %s", header, tag)
		}
	})
}
