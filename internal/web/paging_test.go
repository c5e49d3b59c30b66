package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tocsin/rules"
)

// fiveGroups is groups b, a, d, c, a (of another file), two rules each, in this
// order.
func fiveGroups() []*rules.Snapshot {
	var groups []*rules.Snapshot
	for _, k := range [][2]string{{"1.yml", "b"}, {"2.yml", "a"}, {"1.yml", "d"}, {"1.yml", "c"}, {"1.yml", "a"}} {
		groups = append(groups, simpleGroup(k[0], k[1], "X", "Y"))
	}
	return groups
}

func groupKeys(a rulesAnswer) string {
	var keys []string
	for _, g := range a.Data.Groups {
		keys = append(keys, g.File[:1]+g.Name)
	}
	return strings.Join(keys, " ")
}

func TestGroupsAreSortedByNameThenFile(t *testing.T) {
	s := New(Options{State: demoState(fiveGroups()...)})
	if got, want := groupKeys(askRules(t, s, "")), "1a 2a 1b 1c 1d"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSortingLeavesTheSnapshotsAlone(t *testing.T) {
	groups := fiveGroups()
	before := slices.Clone(groups)
	getOK(t, New(Options{State: demoState(groups...)}), "/api/v1/rules")
	if !slices.Equal(groups, before) {
		t.Error("the caller's slice was sorted")
	}
}

func TestPagesByNumber(t *testing.T) {
	s := New(Options{State: demoState(fiveGroups()...)})
	for page, want := range map[int]string{1: "1a 2a", 2: "1b 1c", 3: "1d"} {
		a := askRules(t, s, fmt.Sprintf("group_limit=2&page_num=%d", page))
		if got := groupKeys(a); got != want {
			t.Errorf("page %d: got %s, want %s", page, got, want)
		}
		if a.Page != page || a.Total_pages != 3 || a.Total_groups != 5 || a.Total_rules != 10 {
			t.Errorf("page %d: totals %+v", page, a)
		}
		if a.Data.GroupNextToken != "" {
			t.Errorf("page %d: a token, which a client that counts pages does not expect", page)
		}
	}
}

func TestTotalsStandBesideStatusInOrder(t *testing.T) {
	s := New(Options{State: demoState(fiveGroups()...)})
	body := getOK(t, s, "/api/v1/rules?group_limit=2&page_num=3&exclude_alerts=1")
	if want := `{"status":"success","page":3,"total_pages":3,"total_groups":5,"total_rules":10,"data":{"groups":[{`; !strings.HasPrefix(body, want) {
		t.Errorf("got %.120s", body)
	}
	if body := getOK(t, s, "/api/v1/rules?group_limit=9"); !strings.HasPrefix(body, `{"status":"success","total_pages":1,"total_groups":5,`) {
		t.Errorf("without page_num: got %.120s", body)
	}
}

func TestPagePastTheEndIsRefusedWithTheWordsClientsLookFor(t *testing.T) {
	s := New(Options{State: demoState(fiveGroups()...)})
	resp, body := get(t, s, "/api/v1/rules?group_limit=2&page_num=4")
	if resp.StatusCode != http.StatusBadRequest || !strings.Contains(body, "exceeds total amount of pages") {
		t.Errorf("status %d: %s", resp.StatusCode, body)
	}
	if resp, body := get(t, New(Options{}), "/api/v1/rules?group_limit=2&page_num=1"); resp.StatusCode != http.StatusOK {
		t.Errorf("first page of nothing: status %d: %s", resp.StatusCode, body)
	}
}

func TestFiltersApplyBeforePaging(t *testing.T) {
	s := New(Options{State: demoState(fiveGroups()...)})
	a := askRules(t, s, "group_limit=2&page_num=2&file[]=1.yml&rule_name[]=X")
	if got := groupKeys(a); got != "1c 1d" || a.Total_groups != 4 || a.Total_rules != 4 || a.Total_pages != 2 {
		t.Errorf("got %s of %+v", got, a)
	}
}

// follow asks for page after page by token and returns all groups.
func follow(t *testing.T, s http.Handler, query string) (keys string, pages int) {
	t.Helper()
	token := ""
	for pages < 10 {
		a := askRules(t, s, query+"&group_next_token="+token)
		keys += groupKeys(a) + " "
		pages++
		if token = a.Data.GroupNextToken; token == "" {
			return strings.TrimSpace(keys), pages
		}
	}
	t.Fatal("the token never ends")
	return "", 0
}

func TestTokensLeadThroughEveryGroupOnce(t *testing.T) {
	s := New(Options{State: demoState(fiveGroups()...)})
	for limit, wantPages := range map[int]int{1: 5, 2: 3, 3: 2, 4: 2, 5: 1, 6: 1} {
		keys, pages := follow(t, s, fmt.Sprintf("group_limit=%d", limit))
		if keys != "1a 2a 1b 1c 1d" || pages != wantPages {
			t.Errorf("limit %d: %s in %d pages, want %d", limit, keys, pages, wantPages)
		}
	}
	if keys, pages := follow(t, s, "group_limit=2&file[]=1.yml"); keys != "1a 1b 1c 1d" || pages != 2 {
		t.Errorf("filtered: %s in %d pages", keys, pages)
	}
}

func TestTokenOutlivesTheStateOfItsGroup(t *testing.T) {
	groups := fiveGroups()
	for _, g := range groups {
		setAlerts(&g.Rules[0], firing(1)...)
	}
	s := New(Options{State: demoState(groups...)})
	next := askRules(t, s, "group_limit=2&state=firing").Data.GroupNextToken
	setAlerts(&groups[0].Rules[0]) // b, at which the next page begins, recovers
	if got := groupKeys(askRules(t, s, "group_limit=2&state=firing&group_next_token="+next)); got != "1c 1d" {
		t.Errorf("got %s, want 1c 1d", got)
	}
}

func TestTokenOfAVanishedGroupIsRefused(t *testing.T) {
	groups := fiveGroups()
	next := askRules(t, New(Options{State: demoState(groups...)}), "group_limit=2").Data.GroupNextToken
	resp, body := get(t, New(Options{State: demoState(groups[1:]...)}), "/api/v1/rules?group_limit=2&group_next_token="+next)
	checkError(t, "stale token", http.StatusBadRequest, "bad_data", resp, body)
}
