package alertmanager

import (
	"net/http"
	"testing"
	"testing/synctest"

	"tocsin/rules"
)

func TestDeliveriesTellWhoHasAcceptedAnAlert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fine, down, choosy peer
		down.answersWith(http.StatusServiceUnavailable, "")
		s := newStation(t, 10)
		s.use(
			Endpoint{URL: "http://fine", Transport: &fine},
			Endpoint{URL: "http://down", Transport: &down},
			Endpoint{URL: "http://choosy", Transport: &choosy, Relabeling: Relabeling{compiled(t, dropping("A"))}},
		)
		s.notify(firing("A"))
		settle()
		got := s.Deliveries(firing("A").Labels)
		for i, want := range []Delivery{{}, {Waiting: true}, {Dropped: true}} {
			if got[i].Address != addresses(s.Set)[i] || got[i].Waiting != want.Waiting || got[i].Dropped != want.Dropped {
				t.Errorf("delivery %d is %+v, want %+v", i, got[i], want)
			}
		}
		if other := s.Deliveries(firing("B").Labels); other[1].Waiting || other[2].Dropped {
			t.Errorf("deliveries of another alert are %+v", other)
		}
	})
}

func TestBlackholeHasTakenEveryAlert(t *testing.T) {
	b := NewBlackhole(nil)
	got := b.Deliveries(rules.Alert{}.Labels)
	if len(got) != 1 || got[0].Address != "blackhole" || got[0].Waiting || got[0].Dropped {
		t.Errorf("deliveries are %+v", got)
	}
}
