package alertmanager

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
)

func TestTargetThatStaysKeepsItsLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stays, goes, comes peer
		s := newStation(t, 10, &stays, &goes)
		kept := s.list()[0]
		all := endpoints(&stays, &goes, &comes)
		s.use(all[0], all[2])
		if s.list()[0] != kept {
			t.Error("the target that stays was replaced")
		}
		want := []string{"http://peer1/api/v2/alerts", "http://peer3/api/v2/alerts"}
		if diff := cmp.Diff(want, addresses(s.Set)); diff != "" {
			t.Error(diff)
		}
		s.wantMetric("tocsin_notifier_targets", "2")
	})
}

func TestComingAndGoingIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a, b peer
		s := newStation(t, 10, &a)
		s.use(endpoints(&a, &b)...)
		s.use(endpoints(&a, &b)...)
		s.use(endpoints(&a)...)
		log := s.logged()
		for _, line := range []string{
			`msg="alertmanager is told of alerts from now on" addr=http://peer2/api/v2/alerts`,
			`msg="alertmanager is not told of alerts any more" addr=http://peer2/api/v2/alerts`,
		} {
			if got := strings.Count(log, line); got != 1 {
				t.Errorf("%q was logged %d times:\n%s", line, got, log)
			}
		}
	})
}

func TestChangedSettingsKeepQueueMetricsAndHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		s := newStation(t, 10, &p)
		s.notify(firing("A"))
		settle()
		p.answersWith(http.StatusInternalServerError, "no")
		s.notify(firing("B"))
		settle()
		p.received()
		changed := endpoints(&p)
		changed[0].SendTimeout = time.Second
		s.use(changed...)
		s.wantMetric("vmalert_alerts_sent_total", "1")
		if got := s.Targets()[0]; got.Queued != 1 || got.LastError != "status 500: no" {
			t.Errorf("status is %+v, want the queue and the error of before", got)
		}
		p.answers(nil)
		settle()
		wantNames(t, &p, "B")
	})
}

func TestChangedSecretInAddressKeepsQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		p.answersWith(http.StatusUnauthorized, "")
		s := newStation(t, 10)
		s.use(Endpoint{URL: "http://u:old@am", Transport: &p})
		s.notify(firing("A"))
		settle()
		p.received()
		p.answers(nil)
		s.use(Endpoint{URL: "http://u:new@am", Transport: &p})
		settle()
		wantNames(t, &p, "A")
	})
}

func TestTargetKeepsItsNumberWhenAnotherGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, 10)
		one, two := Endpoint{URL: "http://am?t=1", Transport: &peer{}}, Endpoint{URL: "http://am?t=2", Transport: &peer{}}
		s.use(one, two)
		s.use(two)
		if diff := cmp.Diff([]string{"http://am/api/v2/alerts#2"}, addresses(s.Set)); diff != "" {
			t.Error(diff)
		}
		s.use(two, one)
		if diff := cmp.Diff([]string{"http://am/api/v2/alerts#2", "http://am/api/v2/alerts"}, addresses(s.Set)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAlertsWaitForATarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, 10)
		s.notify(firing("A"), firing("B"))
		s.notify(resolved("A"), firing("B"))
		s.wantMetric("tocsin_notifier_waiting_alerts", "2")
		s.wantMetric("tocsin_notifier_untargeted_total", "4")
		if !s.Undelivered(firing("A").Labels) {
			t.Error("an alert that waits for a target counts as delivered")
		}
		var p peer
		s.use(endpoints(&p)...)
		settle()
		got := p.received()
		if len(got) != 1 || got[0].names() != "A B" {
			t.Fatalf("requests are %+v, want one with both", got)
		}
		if a := got[0].alerts[0]; a.EndsAt.After(got[0].at) {
			t.Error("A was told as it was, not as it is")
		}
		s.wantMetric("tocsin_notifier_waiting_alerts", "0")
		if s.Undelivered(firing("A").Labels) {
			t.Error("a delivered alert is owed")
		}
		log := s.logged()
		if got := strings.Count(log, "there is no alertmanager to tell of alerts"); got != 1 {
			t.Errorf("that there is no target was logged %d times:\n%s", got, log)
		}
		if !strings.Contains(log, `msg="alerts that waited for an alertmanager are told" alerts=2`) {
			t.Errorf("log does not say that they are told:\n%s", log)
		}
	})
}

func TestAlertsThatWaitTooLongAreGivenUpAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, 10)
		s.notify(firing("A")) // for an hour
		s.notify(resolved("B"))
		time.Sleep(61 * time.Minute)
		s.notify(firing("C"))
		s.wantMetric("tocsin_notifier_waiting_alerts", "2")
		s.wantMetric(`tocsin_notifier_given_up_total{reason="expired"}`, "1")
		time.Sleep(resolvedRetention)
		s.notify(firing("D"))
		s.wantMetric("tocsin_notifier_waiting_alerts", "1")
		s.wantMetric(`tocsin_notifier_given_up_total{reason="expired"}`, "3")
	})
}

func TestCloseTellsWhatWaitsForATarget(t *testing.T) {
	s := newSet(t, Options{})
	if err := s.Notify(notification(firing("A"))); err != nil {
		t.Fatal(err)
	}
	err := s.Close(ended())
	if want := "no alertmanager was found: 1 alerts left undelivered"; !errors.Is(err, ErrUndelivered) || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}

// An Alertmanager that is started anew often has another address.
func TestSuccessorAtAnotherAddressIsToldWhatWasOwed(t *testing.T) {
	for _, step := range []string{"at once", "after a while without any"} {
		t.Run(step, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var dead, next peer
				dead.hangs()
				s := newStation(t, 10, &dead)
				s.notify(firing("A"))
				s.notify(resolved("A"))
				settle()
				all := endpoints(&dead, &next)
				if step != "at once" {
					if err := s.Use(ended(), nil); err != nil {
						t.Fatal(err)
					}
					if !s.Undelivered(resolved("A").Labels) {
						t.Error("the end of A is not owed to anybody")
					}
				}
				if err := s.Use(ended(), all[1:]); err != nil {
					t.Fatal(err)
				}
				settle()
				wantNames(t, &next, "A")
				if s.Undelivered(resolved("A").Labels) {
					t.Error("the end of A is owed for ever")
				}
				s.wantMetric(`tocsin_notifier_given_up_total{reason="removed"}`, "0")
			})
		})
	}
}

func TestWhatIsOwedToATargetThatGoesIsGivenUpWhereOthersStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dead, sound peer
		dead.hangs()
		s := newStation(t, 10, &sound, &dead)
		s.notify(resolved("A"))
		settle()
		if !s.Undelivered(resolved("A").Labels) {
			t.Error("the dead target is not owed the end of A")
		}
		if err := s.Use(ended(), endpoints(&sound)); err != nil {
			t.Fatal(err)
		}
		if s.Undelivered(resolved("A").Labels) {
			t.Error("the end of A is owed to a target that is gone")
		}
		s.wantMetric(`tocsin_notifier_given_up_total{reason="removed"}`, "1")
		wantNames(t, &sound, "A")
		if got := s.metric(`tocsin_notifier_queue_length{addr="http://peer2/api/v2/alerts"}`); got != "none" {
			t.Errorf("a target that is gone still shows its metrics: %s", got)
		}
	})
}

// What a target that is gone was owed must not be told after what came later.
func TestSuccessorIsNotToldOldStatesAfterNewOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dead, next peer
		dead.hangs()
		s := newStation(t, 10, &dead)
		s.notify(resolved("A"))
		settle()
		done := make(chan error)
		go func() { done <- s.Use(within(t, 5*time.Second), endpoints(nil, &next)[1:]) }()
		synctest.Wait() // the dead one is being drained
		s.notify(firing("A"))
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		settle()
		got := next.received()
		if last := got[len(got)-1]; last.names() != "A" || !last.alerts[0].EndsAt.After(last.at) {
			t.Errorf("the last that was told is %+v, want that A fires", last)
		}
	})
}

func TestStatusShowsHowATargetWasFound(t *testing.T) {
	s := newSet(t, Options{}, Endpoint{
		URL: "http://am", Transport: &peer{}, Kind: "DNSSD", Labels: labels.FromStrings("__address__", "am:80"),
	})
	want := []Status{{Kind: "DNSSD", Address: "http://am/api/v2/alerts", Labels: labels.FromStrings("__address__", "am:80")}}
	if diff := cmp.Diff(want, s.Targets(), cmp.Comparer(labels.Equal)); diff != "" {
		t.Error(diff)
	}
}
