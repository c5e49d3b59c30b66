package alertmanager

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/rules"
)

func TestPartialAcceptanceIsNotRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		p.answersWith(http.StatusBadRequest, `"alert B is invalid"`)
		s := newStation(t, 10, &p)
		s.notify(firing("A"), firing("B"))
		time.Sleep(time.Minute)
		wantNames(t, &p, "A B")
		s.wantMetric("tocsin_notifier_partial_total", "1")
		s.wantMetric("vmalert_alerts_send_errors_total", "2")
		s.wantMetric("vmalert_alerts_sent_total", "0")
		if got, want := s.Targets()[0].LastError, `status 400: "alert B is invalid"`; got != want {
			t.Errorf("last error is %q, want %q", got, want)
		}

		p.answers(nil)
		s.notify(firing("A"))
		settle()
		if got := s.Targets()[0].LastError; got != "" {
			t.Errorf("last error %q outlives a success", got)
		}
	})
}

// Such a 400 comes from something in between: no alert in it was looked at.
func TestBadRequestOfAProxyIsRepeated(t *testing.T) {
	for name, text := range map[string]string{
		"page of a proxy":    "\n<html><h1>400 Bad Request</h1>The plain HTTP request was sent to HTTPS port</html>",
		"http to a TLS port": "Client sent an HTTP request to an HTTPS server.\n",
		"page in upper case": "<!DOCTYPE HTML><TITLE>400</TITLE>",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p peer
				p.answersWith(http.StatusBadRequest, text)
				s := newStation(t, 10, &p)
				s.notify(resolved("A"))
				settle()
				s.wantMetric("tocsin_notifier_partial_total", "0")
				if st := s.Targets()[0]; st.Queued != 1 {
					t.Errorf("%d alerts wait, want 1", st.Queued)
				}

				p.answers(nil)
				time.Sleep(time.Minute)
				if st := s.Targets()[0]; st.Queued != 0 || st.LastError != "" {
					t.Errorf("after the mistake is mended: %+v", st)
				}
			})
		})
	}
}

func TestAnyTwoHundredIsSuccess(t *testing.T) {
	for _, status := range []int{200, 202, 204, 299} {
		synctest.Test(t, func(t *testing.T) {
			var p peer
			p.answersWith(status, "")
			s := newStation(t, 10, &p)
			s.notify(firing("A"))
			settle()
			if st := s.Targets()[0]; st.LastError != "" || st.Queued != 0 || st.LastSuccess.IsZero() {
				t.Errorf("after status %d: %+v", status, st)
			}
		})
	}
}

func TestMendableRefusalIsRetried(t *testing.T) {
	for _, status := range []int{301, 401, 403, 404, 429, 500, 503} {
		synctest.Test(t, func(t *testing.T) {
			var p peer
			p.answersWith(status, "no")
			s := newStation(t, 10, &p)
			s.notify(firing("A"))
			settle()
			p.received()
			p.answers(nil)
			time.Sleep(retryMax)
			wantNames(t, &p, "A")
		})
	}
}

func TestTooLargeBatchIsHalved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		p.answers(func(r request) (*http.Response, error) {
			if len(r.alerts) > 3 {
				return respond(http.StatusRequestEntityTooLarge, ""), nil
			}
			return respond(http.StatusOK, ""), nil
		})
		s := newStation(t, 8, &p)
		s.notify(firing("A"), firing("B"), firing("C"), firing("D"), firing("E"), firing("F"), firing("G"), firing("H"))
		settle()
		wantNames(t, &p, "A B C D E F G H", "A B C D", "A B", "C D", "E F", "G H")
		s.wantMetric("tocsin_notifier_split_total", "2")
		s.wantMetric("tocsin_notifier_queue_length", "0")
	})
}

func TestAlertTooLargeAloneIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		p.answers(func(r request) (*http.Response, error) {
			if strings.Contains(r.names(), "Giant") {
				return respond(http.StatusRequestEntityTooLarge, ""), nil
			}
			return respond(http.StatusOK, ""), nil
		})
		s := newStation(t, 4, &p)
		s.notify(firing("A"), firing("Giant"), firing("B"), firing("C"))
		settle()
		wantNames(t, &p, "A Giant B C", "A Giant", "A", "Giant", "B", "C")
		s.wantMetric(`tocsin_notifier_dropped_total{addr="http://peer1/api/v2/alerts",reason="too_large"}`, "1")
	})
}

func TestAlertThatSpoilsItsRequestIsIsolated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		told := map[string]bool{}
		p.answers(func(r request) (*http.Response, error) {
			if strings.Contains(r.names(), "A13") {
				return respond(http.StatusUnprocessableEntity, "bad"), nil
			}
			for _, a := range r.alerts {
				told[a.name()] = true
			}
			return respond(http.StatusOK, ""), nil
		})
		s := newStation(t, 64, &p)
		var alerts []rules.Alert
		for i := range 64 {
			alerts = append(alerts, firing(fmt.Sprint("A", i)))
		}
		s.notify(alerts...)
		settle()
		if len(told) != 63 {
			t.Errorf("%d alerts were told, want all but one of 64", len(told))
		}
		if n := len(p.received()); n > 32 {
			t.Errorf("isolating the alert took %d requests", n)
		}
		s.wantMetric(`tocsin_notifier_dropped_total{addr="http://peer1/api/v2/alerts",reason="refused"}`, "1")
	})
}
