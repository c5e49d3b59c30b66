package alertmanager

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/config"
)

func TestGroupHeadersSplitRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		s := newStation(t, 10, &p)
		blue := []config.Pair{{Name: "X-Team", Value: "blue"}}
		s.notify(firing("A"))
		s.notifyWith(blue, firing("B"))
		s.notify(firing("C"))
		s.notifyWith([]config.Pair{{Name: "X-Team", Value: "blue"}}, firing("D"))
		settle()
		got := map[string]string{}
		for _, r := range p.received() {
			got[r.names()] = r.header.Get("X-Team")
		}
		if diff := cmp.Diff(map[string]string{"A C": "", "B D": "blue"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTransportMayRepeatRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		s := newStation(t, 10, &p)
		s.notify(firing("A"))
		settle()
		for _, r := range p.received() {
			if values, ok := r.header["Idempotency-Key"]; !ok || len(values) != 0 {
				t.Errorf("Idempotency-Key is %q, present %v; want it there without a value", values, ok)
			}
		}
	})
}

func TestRefusedHeadersDoNotHoldUpOtherGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		p.answers(func(r request) (*http.Response, error) {
			if r.header.Get("X-Tenant") == "wrong" {
				return respond(http.StatusUnauthorized, "who?"), nil
			}
			return respond(http.StatusOK, ""), nil
		})
		s := newStation(t, 10, &p)
		s.notifyWith([]config.Pair{{Name: "X-Tenant", Value: "wrong"}}, firing("A"))
		time.Sleep(time.Minute)
		p.received()
		s.notify(firing("B"))
		time.Sleep(2 * gatherFor)
		if got := p.receivedNames(); !slices.Contains(got, "B") {
			t.Errorf("requests %q, want B to be told", got)
		}
		if st := s.Targets()[0]; st.Queued != 1 || st.LastError != "status 401: who?" {
			t.Errorf("status %+v, want A queued with its error", st)
		}
	})
}

func TestAlertMovesWithItsGroupsHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		s := newStation(t, 10, &p)
		s.notifyWith([]config.Pair{{Name: "X-Team", Value: "old"}}, firing("A"))
		s.notifyWith([]config.Pair{{Name: "X-Team", Value: "new"}}, firing("A"))
		settle()
		got := p.received()
		if len(got) != 1 || got[0].header.Get("X-Team") != "new" {
			t.Errorf("received %v, want one request with the new headers", got)
		}
	})
}
