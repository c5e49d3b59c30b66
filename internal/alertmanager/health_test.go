package alertmanager

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
)

func TestChangeOfHealthIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		p.answersWith(http.StatusInternalServerError, "disk full")
		s := newStation(t, 10, &p)
		s.notify(firing("A"))
		time.Sleep(5 * time.Minute)
		p.answers(nil)
		time.Sleep(time.Minute)
		log := s.logged()
		for _, line := range []string{"does not take alerts", "takes alerts again"} {
			if n := strings.Count(log, line); n != 1 {
				t.Errorf("%q is logged %d times in:\n%s", line, n, log)
			}
		}
	})
}

func TestLastingRefusalIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		s := newStation(t, 10, &p)
		for range 20 {
			p.answersWith(http.StatusBadRequest, "invalid")
			s.notify(firing("Bad"))
			settle()
			p.answers(nil)
			s.notify(firing("Good"))
			settle()
		}
		if log := s.logged(); strings.Count(log, "\n") != 1 {
			t.Errorf("want one line:\n%s", log)
		}
	})
}

func TestStatusShowsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		s := newStation(t, 10, &p)
		s.notify(firing("A"))
		settle()
		success := time.Now().Add(gatherFor - time.Second)
		p.hangs()
		since := time.Now()
		s.notify(firing("A"))
		time.Sleep(30 * time.Second)
		s.notify(firing("A"), firing("B"))
		got := s.Targets()
		want := []Status{{
			Address:   "http://peer1/api/v2/alerts",
			LastError: "no answer within 10s", LastSuccess: success, Queued: 2, Oldest: since,
		}}
		if diff := cmp.Diff(want, got, cmp.Comparer(labels.Equal)); diff != "" {
			t.Error(diff)
		}
		s.wantMetric("tocsin_notifier_oldest_seconds", "30")
	})
}
