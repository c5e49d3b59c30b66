package web

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"tocsin/internal/httpx"
	"tocsin/rules"
)

var (
	tags  = regexp.MustCompile(`<[^>]*>`)
	spans = regexp.MustCompile(`\s+`)
)

// textOf returns what a person reads of a page.
func textOf(page string) string {
	return spans.ReplaceAllString(tags.ReplaceAllString(page, " "), " ")
}

func TestOverviewListsTheLastReloads(t *testing.T) {
	page := getOK(t, reloadsServer(demoReloads(), nil), "/")
	rest := page[strings.Index(page, `id="reloads"`):]
	for _, want := range []string{
		"2026-11-23T04:02:03Z", "check", "1.5s", "refused", "2 problems", "a.yml:3: bad expr\nb.yml:9: no name",
		"2026-11-23T03:02:03Z", "http", "12ms", "partly applied", "1 group changed, 2 moved; 3 rules changed, 1 removed; 2 alerts resolved, 1 reset", "1 problem<", "a.yml:3: bad expr",
		"2026-11-23T02:02:03Z", "signal", "4ms", "nothing changed",
		"2026-11-23T01:02:03Z", "start", "2s", "100 groups added; 1000 rules added",
	} {
		i := strings.Index(rest, want)
		if i < 0 {
			t.Fatalf("no %q after what comes before it in %s", want, page)
		}
		rest = rest[i+len(want):]
	}
}

func TestOverviewBeginsWithWhatBecameOfTheLastEdit(t *testing.T) {
	all := demoReloads()
	for want, list := range map[string][]Reload{
		"(check, took 1.5s): refused , 2 problems. Earlier loads":                                          all,
		"(http, took 12ms): partly applied 1 group changed, 2 moved; 3 rules changed, 1 removed; 2 alerts": all[1:],
		"(signal, took 4ms): nothing changed. Earlier loads":                                               all[2:],
		"(start, took 2s): 100 groups added; 1000 rules added. Earlier loads":                              all[3:],
	} {
		text := textOf(getOK(t, reloadsServer(list, nil), "/"))
		at, firing := strings.Index(text, want), strings.Index(text, " Firing ")
		if at < 0 || at > firing {
			t.Errorf("%q at %d, the first table at %d: %s", want, at, firing, text)
		}
	}
}

func TestOverviewSaysWhyTheFilesAreNotInForce(t *testing.T) {
	stale := errors.New("a.yml:3: bad expr\nb.yml:9: no name")
	for title, list := range map[string][]Reload{
		"The last reload was refused; what ran before goes on.":                demoReloads(),
		"Files with problems keep what they had before; the rest is in force.": demoReloads()[1:],
		"What runs is not what the configuration says.":                        demoReloads()[2:],
	} {
		if page := getOK(t, reloadsServer(list, stale), "/"); !strings.Contains(page, title+"</b><pre>a.yml:3: bad expr\nb.yml:9: no name</pre>") {
			t.Errorf("no %q with its reasons in %s", title, page)
		}
	}
	if page := getOK(t, reloadsServer(nil, stale), "/"); !strings.Contains(page, "What runs is not") || strings.Contains(page, "Last loads") {
		t.Errorf("without a list of reloads: %s", page)
	}
	if page := getOK(t, reloadsServer(demoReloads(), nil), "/"); strings.Contains(page, `"note bad"`) {
		t.Errorf("files that are good again are called bad: %s", page)
	}
}

func TestMarkupInProblemsIsShownAsText(t *testing.T) {
	page := getOK(t, reloadsServer([]Reload{{Trigger: hostile, Problems: []string{hostile}}}, errors.New(hostile)), "/")
	wantSafe(t, "/", page)
}

func TestPlanIsLinkedUnlessItNeedsAKey(t *testing.T) {
	for key, want := range map[httpx.Secret]bool{"": true, "k": false} {
		page := getOK(t, guarded(Auth{ReloadKey: key}), "/")
		if got := strings.Contains(page, `href="./-/reload/plan"`); got != want {
			t.Errorf("with a key %v: linked %v, want %v", key != "", got, want)
		}
	}
}

func TestWordsForWhatAReloadDid(t *testing.T) {
	for want, totals := range map[string]rules.Totals{
		"nothing changed": {Groups: rules.ActionCounts{Kept: 3}},
		"1 group removed; 2 rules removed; 1 alert resolved":       {Groups: rules.ActionCounts{Removed: 1}, Rules: rules.ActionCounts{Removed: 2}, Resolved: 1},
		"1 group changed; 1 rule moved, 2 removed; 2 alerts reset": {Groups: rules.ActionCounts{Changed: 1}, Rules: rules.ActionCounts{Moved: 1, Removed: 2}, Reset: 2},
	} {
		if got := did(totals); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
