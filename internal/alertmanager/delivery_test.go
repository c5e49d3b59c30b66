package alertmanager

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAlertsOfManyRulesShareRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		s := newStation(t, 10, &p)
		s.notify(firing("A"))
		s.notify(firing("B"), firing("C"))
		settle()
		wantNames(t, &p, "A B C")
		s.wantMetric("vmalert_alerts_sent_total", "3")
		s.wantMetric("vmalert_alerts_send_errors_total", "0")
		s.wantMetric("vmalert_alerts_send_duration_seconds_count", "1")
		s.wantMetric("tocsin_notifier_queue_length", "0")
	})
}

func TestFullBatchLeavesAtOnceAndOrderIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		s := newStation(t, 2, &p)
		began := time.Now()
		s.notify(firing("A"), firing("B"), firing("C"), firing("D"), firing("E"))
		synctest.Wait()
		for _, r := range p.received() {
			if !r.at.Equal(began) {
				t.Errorf("full batch %q waited for %s", r.names(), r.at.Sub(began))
			}
		}
		settle()
		wantNames(t, &p, "E")
	})
}

func TestEmptyNotificationSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		s := newStation(t, 10, &p)
		s.notify()
		settle()
		wantNames(t, &p)
	})
}

func TestAlertWithoutLabelsIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		s := newStation(t, 10, &p)
		bare := firing("")
		s.notify(bare)
		settle()
		wantNames(t, &p)
		s.wantMetric(`tocsin_notifier_dropped_total{addr="http://peer1/api/v2/alerts",reason="no_labels"}`, "1")

		s.notify(bare, firing("A"))
		settle()
		wantNames(t, &p, "A")
	})
}

func TestNotifyReturnsWhilePeerHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var slow, sound peer
		slow.hangs()
		s := newStation(t, 10, &slow, &sound)
		for i := range 5 {
			began := time.Now()
			s.notify(firing(fmt.Sprint("A", i)))
			if waited := time.Since(began); waited != 0 {
				t.Errorf("notify took %s", waited)
			}
			settle()
		}
		wantNames(t, &sound, "A0", "A1", "A2", "A3", "A4")
		if got := s.Targets()[0].Queued; got != 5 {
			t.Errorf("%d alerts queued for the slow peer, want 5", got)
		}
	})
}

func TestLatestStateReplacesUnsentOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		s := newStation(t, 10, &p)
		s.notify(saying(firing("A"), "old"), firing("B"))
		s.notify(saying(resolved("A"), "new"))
		settle()
		got := p.received()
		if len(got) != 1 || got[0].names() != "A B" {
			t.Fatalf("received %v, want one request with A before B", got)
		}
		if text := got[0].alerts[0].Annotations["text"]; text != "new" {
			t.Errorf("the state sent is the %s one", text)
		}
		s.wantMetric("tocsin_notifier_superseded_total", "1")
	})
}

func TestStateSupersededInFlightIsSentNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		p.answers(func(request) (*http.Response, error) {
			time.Sleep(2 * time.Second)
			return respond(http.StatusOK, ""), nil
		})
		s := newStation(t, 10, &p)
		s.notify(saying(firing("A"), "first"))
		settle()
		s.notify(saying(firing("A"), "second"))
		time.Sleep(5 * time.Second)
		var texts []string
		for _, r := range p.received() {
			for _, a := range r.alerts {
				texts = append(texts, a.Annotations["text"])
			}
		}
		if diff := cmp.Diff([]string{"first", "second"}, texts); diff != "" {
			t.Error(diff)
		}
		s.wantMetric("tocsin_notifier_queue_length", "0")
	})
}

func TestPeerBackAfterAnHourLearnsLatestStateOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		p.answers(func(request) (*http.Response, error) { return nil, errors.New("connection refused") })
		s := newStation(t, 10, &p)
		for round := range 360 {
			for i := range 20 {
				a := saying(firing(fmt.Sprint("A", i)), fmt.Sprint(round))
				if i < 5 && round >= 100 {
					a = saying(resolved(fmt.Sprint("A", i)), "over")
				}
				s.notify(a)
			}
			time.Sleep(10 * time.Second)
		}
		s.wantMetric("tocsin_notifier_queue_length", "20")
		p.received()
		p.answers(nil)
		time.Sleep(retryMax)
		synctest.Wait()

		told := map[string]string{}
		for _, r := range p.received() {
			for _, a := range r.alerts {
				if _, twice := told[a.name()]; twice {
					t.Errorf("%s was told twice", a.name())
				}
				told[a.name()] = a.Annotations["text"]
			}
		}
		want := map[string]string{}
		for i := range 20 {
			want[fmt.Sprint("A", i)] = "359"
			if i < 5 {
				want[fmt.Sprint("A", i)] = "over"
			}
		}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRetriesBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		p.answersWith(http.StatusServiceUnavailable, "starting")
		s := newStation(t, 10, &p)
		s.notify(firing("A"))
		time.Sleep(time.Minute)
		got := p.received()
		for i := 1; i < len(got); i++ {
			most := min(retryMin<<(i-1), retryMax)
			if pause := got[i].at.Sub(got[i-1].at); pause < most/2 || pause > most {
				t.Errorf("pause %d is %s, want between %s and %s", i, pause, most/2, most)
			}
		}
		if len(got) < 12 || len(got) > 30 {
			t.Errorf("%d attempts in a minute", len(got))
		}
		s.wantMetric("tocsin_notifier_retries_total", fmt.Sprint(len(got)-1))
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		p.answers(func(request) (*http.Response, error) {
			return respond(http.StatusTooManyRequests, "", "Retry-After", "40"), nil
		})
		s := newStation(t, 10, &p)
		s.notify(firing("A"))
		time.Sleep(time.Minute)
		got := p.received()
		if len(got) != 2 || got[1].at.Sub(got[0].at) != 40*time.Second {
			t.Errorf("attempts %v, want two, 40s apart", got)
		}
	})
}

func TestExpiredFiringStateIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		p.answersWith(http.StatusBadGateway, "")
		s := newStation(t, 10, &p)
		short := firing("Short")
		short.EndsAt = time.Now().Add(time.Minute)
		s.notify(short, firing("Long"))
		time.Sleep(2 * time.Minute)
		p.received()
		p.answers(nil)
		time.Sleep(retryMax)
		wantNames(t, &p, "Long")
		s.wantMetric(`tocsin_notifier_expired_total{addr="http://peer1/api/v2/alerts",reason="firing"}`, "1")
	})
}

func TestDeadStateIsFoundBehindLivingOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		p.hangs()
		s := newStation(t, 1, &p)
		short := firing("Short")
		short.EndsAt = time.Now().Add(time.Minute)
		s.notify(firing("Long"), short)
		time.Sleep(time.Minute + sweepEvery + defaultSendTimeout + retryMax)
		s.wantMetric("tocsin_notifier_queue_length", "1")
	})
}

func TestNewAlertsDoNotCutPauseShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		p.answers(func(request) (*http.Response, error) {
			return respond(http.StatusServiceUnavailable, "", "Retry-After", "60"), nil
		})
		s := newStation(t, 2, &p)
		s.notify(firing("A"))
		settle()
		wantNames(t, &p, "A")
		s.notify(firing("B"), firing("C"), firing("D"))
		time.Sleep(30 * time.Second)
		wantNames(t, &p)
	})
}

func TestResolvedStateIsDeliveredAfterDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		p.hangs()
		s := newStation(t, 10, &p)
		s.notify(resolved("Old"))
		time.Sleep(24 * time.Hour)
		s.notify(resolved("Young"))
		time.Sleep(resolvedRetention - 24*time.Hour - time.Minute)
		if got := s.Targets()[0].Queued; got != 2 {
			t.Errorf("%d alerts queued, want both", got)
		}
		time.Sleep(5 * time.Minute)
		p.answers(nil)
		p.received()
		time.Sleep(defaultSendTimeout + retryMax)
		wantNames(t, &p, "Young")
		s.wantMetric(`tocsin_notifier_expired_total{addr="http://peer1/api/v2/alerts",reason="resolved"}`, "1")
	})
}
