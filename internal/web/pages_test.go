package web

import (
	"bytes"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

// pagesOf returns the addresses of all pages for the rule and alert given.
func pagesOf(g *rules.Snapshot, rule int) []string {
	group := "group_id=" + id(g.ID)
	r := &g.Rules[rule]
	return []string{
		"/", "/vmalert", "/vmalert/", "/vmalert/home", "/vmalert/groups", "/vmalert/alerts", "/vmalert/notifiers", "/rules", "/alerts", "/notifiers",
		"/vmalert/rule?" + group + "&rule_id=" + id(r.ID),
		"/vmalert/alert?" + group + "&alert_id=" + id(r.Alerts()[0].ID),
	}
}

func TestPagesAreSafeToShow(t *testing.T) {
	for _, target := range append(pagesOf(demoGroup(), 1), "/vmalert/alert?group_id=1&alert_id=1", "/vmalert/groups?state=nosuch") {
		resp, body := get(t, demoServer(), target)
		if got := resp.Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
			t.Errorf("%s: Content-Type %q", target, got)
		}
		for _, want := range []string{"default-src 'none'", "style-src 'self'", "script-src 'self'", "frame-ancestors 'none'"} {
			if got := resp.Header.Get("Content-Security-Policy"); !strings.Contains(got, want) {
				t.Errorf("%s: no %s in %q", target, want, got)
			}
		}
		if resp.Header.Get("X-Content-Type-Options") != "nosniff" || resp.Header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: headers %v", target, resp.Header)
		}
		wantSafe(t, target, body)
		wantReadable(t, target, body)
		if !strings.HasSuffix(strings.TrimSpace(body), "</html>") {
			t.Errorf("%s: the page has no end", target)
		}
	}
}

const hostile = `</pre><script>alert("x")</script><img src=x onerror='y'>&amp;`

// hostileGroup has a text, such as markup, wherever a rule file or a series may have
// some.
func hostileGroup(text string) *rules.Snapshot {
	g := simpleGroup(text, text, text)
	g.Group.Params = map[string][]string{text: {text}}
	g.Group.Labels = pairs(text, text)
	g.Rules[0].Rule.Expr, g.Rules[0].Rule.Annotations = text, pairs(text, text, "link", "javascript:alert(1)")
	g.Rules[0].Labels = pairs(text, text)
	g.Rules[0].History = rules.HistoryOf(rules.Update{Began: 1, Error: text})
	setAlerts(&g.Rules[0], rules.Instance{
		State: rules.Firing, ID: 5, ActiveAt: 1, LastSent: 1,
		Labels:      labels.FromStrings("a", text),
		Annotations: labels.FromStrings("link", "javascript:alert(1)", "plain", text, "summary", text, "url", `https://x.example/"><script>`),
	})
	return g
}

// serverOf returns a server that shows what text is wherever it can.
func serverOf(text *string) *Server {
	target := func() NotifierTarget {
		return NotifierTarget{Address: *text, LastError: *text, Labels: map[string]string{*text: *text}}
	}
	return New(Options{
		Version: hostile,
		State: State{
			Groups:      func() []*rules.Snapshot { return []*rules.Snapshot{hostileGroup(*text)} },
			Link:        linkTo(text),
			RequestLine: func(rules.Query) string { return *text },
			Deliveries:  func(labels.Labels) []Delivery { return []Delivery{{Target: target()}} },
			Notifiers: func() []NotifierGroup {
				return []NotifierGroup{{Kind: *text, LastError: *text, Targets: []NotifierTarget{target()}}}
			},
		},
		Control: Control{
			Ready: func() error { return errors.New(*text) }, Stale: func() error { return errors.New(*text) },
			Reloads: func() []Reload { return []Reload{{Trigger: *text, Problems: []string{*text}}} },
		},
	})
}

// pagesAbout returns the addresses of the pages that show text, and of those that
// are asked for it.
func pagesAbout(text string) []string {
	g, q := hostileGroup(text), url.QueryEscape(text)
	return append(pagesOf(g, 0),
		"/vmalert/groups?search="+q, "/vmalert/alerts?search="+q, "/vmalert/groups?state="+q, "/vmalert/groups?group_id="+id(g.ID),
		"/vmalert/groups?file="+q, "/vmalert/alerts?rule_group[]="+q, "/vmalert/alert?group_id="+q,
	)
}

func TestMarkupInRulesAndAlertsIsShownAsText(t *testing.T) {
	var text string
	s := serverOf(&text)
	for _, text = range []string{hostile, "javascript:alert(2)", `"><script>`} {
		for _, target := range pagesAbout(text) {
			_, body := get(t, s, target)
			wantSafe(t, target, body)
		}
	}
}

var hrefs = regexp.MustCompile(`(?:href|action)="([^"#]*)`)

func TestEveryLinkOfEveryPageLeadsSomewhere(t *testing.T) {
	for _, prefix := range []string{"", "/pre/fix"} {
		g := demoGroup()
		s := New(Options{State: demoState(g, secondGroup()), PathPrefix: prefix, Control: Control{Reload: reloadFine, Plan: planNothing}})
		for _, target := range append(pagesOf(g, 1), "/vmalert/alert?group_id=1&alert_id=1") {
			base, err := url.Parse("http://own" + prefix + target)
			if err != nil {
				t.Fatal(err)
			}
			_, body := get(t, s, prefix+target)
			found := hrefs.FindAllStringSubmatch(body, -1)
			if len(found) < 5 {
				t.Errorf("%s: %d links", target, len(found))
			}
			for _, m := range found {
				if m[1] == "" {
					continue // into the page itself
				}
				link, err := base.Parse(strings.ReplaceAll(m[1], "&amp;", "&"))
				if err != nil {
					t.Errorf("%s: link %q: %s", target, m[1], err)
					continue
				}
				if link.Host != "own" {
					continue
				}
				if resp, _ := get(t, s, link.RequestURI()); resp.StatusCode != http.StatusOK {
					t.Errorf("prefix %q: %s links to %s: %d", prefix, target, link, resp.StatusCode)
				}
			}
		}
	}
}

func TestLinkOfANotificationShowsItsAlert(t *testing.T) {
	body := getOK(t, demoServer(), "/vmalert/alert?group_id=3282191581672841545&alert_id=11145849433096643897")
	for _, want := range []string{"AlwaysFiring", "firing", "severity=<b>page</b>", "value 1 at 2026-11-22", "vector(1) &gt; 0", "2026-11-22T13:47:22Z", "rules.yml"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestAlertPageTellsOfResolutionAndOfKeeping(t *testing.T) {
	g := demoGroup()
	a := &g.Rules[1].Alerts()[0]
	target := "/vmalert/alert?group_id=" + id(g.ID) + "&alert_id=" + id(a.ID)
	s := New(Options{State: demoState(g)})
	a.KeepFiringSince = at("2026-11-22T13:47:30Z")
	if body := getOK(t, s, target); !strings.Contains(body, "no longer holds") || !strings.Contains(body, "2026-11-22T13:47:30Z") {
		t.Errorf("kept firing: %s", body)
	}
	a.State, a.KeepFiringSince, a.ResolvedAt = rules.Inactive, 0, at("2026-11-22T13:47:40Z")
	if body := getOK(t, s, target); !strings.Contains(body, "resolved") || !strings.Contains(body, "2026-11-22T13:47:40Z") {
		t.Errorf("resolved: %s", body)
	}
}

func TestRunbookIsALinkAndOtherTextIsNot(t *testing.T) {
	g := demoGroup()
	g.Rules[1].Alerts()[0].Annotations = labels.FromStrings("runbook", "https://wiki.example/r?a=1&b=2", "text", "see https://x.example")
	body := getOK(t, New(Options{State: demoState(g)}), pagesOf(g, 1)[11])
	if !strings.Contains(body, `<a href="https://wiki.example/r?a=1&amp;b=2" rel="noopener noreferrer">`) || strings.Contains(body, `href="https://x.example`) {
		t.Errorf("got %s", body)
	}
}

func TestSourceIsLinkedOnlyIfItLeadsElsewhere(t *testing.T) {
	for link, want := range map[string]string{
		"https://grafana.example/explore":                       "https://grafana.example/explore",
		"http://other:8880/vmalert/alert?group_id=1&alert_id=7": "",
		"http://other:8880/vmalert/alert?group_id=1&alert_id=8": "http://other:8880/vmalert/alert?group_id=1&alert_id=8",
		"javascript:alert(1)":                                   "", "": "", "/relative": "", "%zz": "",
	} {
		if got := elsewhere(link, 7); got != want {
			t.Errorf("%q: got %q, want %q", link, got, want)
		}
	}
}

func TestUnknownAlertPageSaysWhatMayHaveHappened(t *testing.T) {
	resp, body := get(t, demoServer(), "/vmalert/alert?group_id=3282191581672841545&alert_id=1")
	if resp.StatusCode != http.StatusNotFound || !strings.Contains(body, "The alert is over") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if !strings.Contains(body, `groups?group_id=3282191581672841545"`) {
		t.Error("no link to the group, which is there")
	}
	if _, body := get(t, demoServer(), "/vmalert/rule?group_id=1&rule_id=1"); strings.Contains(body, "groups?group_id=1") {
		t.Error("a link to a group that is not there")
	}
	if resp, _ := get(t, demoServer(), "/vmalert/alert?group_id=x&alert_id=1"); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("bad id: %d", resp.StatusCode)
	}
}

func TestRulePageShowsUpdatesNewestFirst(t *testing.T) {
	g := demoGroup()
	r := &g.Rules[1]
	r.History = rules.HistoryOf(rules.Update{Began: at("2026-11-22T13:00:00Z"), At: at("2026-11-22T13:00:00Z")}, rules.Update{Began: at("2026-11-22T13:01:00Z"), At: at("2026-11-22T13:01:00Z"), Error: "boom", SeriesFetched: -1})
	body := getOK(t, New(Options{State: demoState(g)}), pagesOf(g, 1)[10])
	newest, oldest := strings.Index(body, "curl vector(1) &gt; 0 2026-11-22T13:01:00Z"), strings.Index(body, "curl vector(1) &gt; 0 2026-11-22T13:00:00Z")
	if newest < 0 || oldest < newest || !strings.Contains(body, "boom") || !strings.Contains(body, "unknown") {
		t.Errorf("newest at %d, oldest at %d: %s", newest, oldest, body)
	}
}

func TestLongExpressionIsShownWhole(t *testing.T) {
	g := simpleGroup("a.yml", "g", "A")
	g.Rules[0].Rule.Expr = strings.Repeat("sum(rate(x[5m]))\n+ ", 200) + "the_end"
	for _, target := range []string{"/vmalert/groups", "/vmalert/rule?group_id=" + id(g.ID) + "&rule_id=" + id(g.Rules[0].ID)} {
		body := getOK(t, New(Options{State: demoState(g)}), target)
		if n := strings.Count(body, "sum(rate(x[5m]))\n"); n != 200 || !strings.Contains(body, "the_end") {
			t.Errorf("%s: %d of 200 lines", target, n)
		}
	}
}

func TestNotifiersPage(t *testing.T) {
	state := State{Notifiers: func() []NotifierGroup {
		return []NotifierGroup{{Kind: "consulSD", Targets: []NotifierTarget{
			{Address: "am-1", LastError: "refused", Queued: 12}, {Address: "am-2", Labels: map[string]string{"dc": "x"}, LastSuccess: time.Unix(1, 0)},
		}}}
	}}
	body := getOK(t, New(Options{State: state}), "/vmalert/notifiers")
	for _, want := range []string{"consulSD", "am-1", "refused", "failing", ">12<", "am-2", "dc=<b>x</b>", "1970-01-01T00:00:01Z", "never"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
	if body := getOK(t, New(Options{}), "/vmalert/notifiers"); !strings.Contains(body, "Nobody is told of alerts") {
		t.Error("no warning that there is no notifier")
	}
}

func TestDurationsForPeople(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 250 * time.Microsecond: "250µs", 1500 * time.Millisecond: "1.5s", 59 * time.Second: "59s",
		time.Minute: "1m", 90 * time.Second: "1m30s", time.Hour: "1h", 25*time.Hour + time.Minute: "1d1h", 48 * time.Hour: "2d",
	} {
		if got := short(d); got != want {
			t.Errorf("%s: got %s, want %s", d, got, want)
		}
	}
	if got := ago(-time.Minute); got != "in 1m" {
		t.Errorf("a moment to come: %s", got)
	}
}

func TestBrokenTemplateIsLoggedAndAnswered(t *testing.T) {
	var log bytes.Buffer
	s := New(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	broken := template.Must(template.New("home.html").Parse("{{.NoSuchField}}"))
	s.pages = func() *template.Template { return broken }
	resp, body := send(t, s, httptest.NewRequest("GET", "/", nil))
	if resp.StatusCode != http.StatusInternalServerError || strings.Contains(body, "NoSuchField") || !strings.Contains(log.String(), "NoSuchField") {
		t.Errorf("%d %q, log %q", resp.StatusCode, body, &log)
	}
}

func TestPagesAreTheSameEveryTime(t *testing.T) {
	g := hostileGroup(hostile)
	g.Group.Params = map[string][]string{"a": {"1"}, "b": {"2"}, "c": {"3"}, "d": {"4"}}
	s := New(Options{State: demoState(slices.Concat(demo(), []*rules.Snapshot{g})...)})
	ages := regexp.MustCompile(`<time.*?</time>`)
	want := ages.ReplaceAllString(getOK(t, s, "/vmalert/groups"), "")
	for range 20 {
		if got := ages.ReplaceAllString(getOK(t, s, "/vmalert/groups"), ""); got != want {
			t.Fatal("two answers differ")
		}
	}
}
