package web

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tocsin/rules"
)

// swapping returns a server whose groups are replaced by swap.
func swapping() (s *Server, swap func(n int)) {
	var groups atomic.Pointer[[]*rules.Snapshot]
	swap = func(n int) {
		next := []*rules.Snapshot{many(1 + n%7)}
		groups.Store(&next)
	}
	swap(0)
	state := demoState()
	state.Groups = func() []*rules.Snapshot { return *groups.Load() }
	return New(Options{State: state, Control: Control{Reload: reloadFine}}), swap
}

// Reload and evaluation replace snapshots while the API is read: no reader may
// see one half of an old group and one half of a new one.
func TestReadersSeeWholeGroupsWhileSnapshotsAreSwapped(t *testing.T) {
	s, swap := swapping()
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 50 {
				w := httptest.NewRecorder()
				s.ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/rules", nil))
				var a rulesAnswer
				if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
					t.Errorf("not JSON: %s", err)
					return
				}
				g := a.Data.Groups[0]
				if g.States["firing"] != len(g.Rules) {
					t.Errorf("%d rules, %d counted", len(g.Rules), g.States["firing"])
				}
				s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/vmalert/groups", nil))
			}
		})
	}
	for i := range 500 {
		swap(i)
	}
	readers.Wait()
}

func TestPooledBuffersAreNotSharedBetweenAnswers(t *testing.T) {
	s := New(Options{State: demoState(many(300)), Control: Control{Ready: func() error { return nil }}})
	var readers sync.WaitGroup
	for _, path := range []string{"/api/v1/rules", "/api/v1/alerts", "/api/v1/rules?exclude_alerts=1"} {
		want := getOK(t, s, path)
		for range 2 {
			readers.Go(func() {
				for range 10 {
					w := httptest.NewRecorder()
					s.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
					if w.Body.String() != want {
						t.Errorf("%s: another answer than before", path)
						return
					}
				}
			})
		}
	}
	readers.Wait()
	if strings.Contains(getOK(t, s, "/vmalert/"), `"status"`) {
		t.Error("JSON in a page")
	}
}
