package alertmanager

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"tocsin/rules"
)

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestCloseDeliversWhatIsQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		s := newStation(t, 2, &p)
		s.notify(firing("A"), firing("B"), firing("C"))
		began := time.Now()
		if err := s.Close(within(t, time.Minute)); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("a drain that could end at once took %s", took)
		}
		wantNames(t, &p, "A B", "C")
	})
}

func TestCloseRetriesWithoutWaitingOutPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		p.answers(func(request) (*http.Response, error) {
			return respond(http.StatusServiceUnavailable, "", "Retry-After", "300"), nil
		})
		s := newStation(t, 2, &p)
		s.notify(firing("A"))
		settle()
		p.received()
		p.answers(nil)
		if err := s.Close(within(t, time.Second)); err != nil {
			t.Error(err)
		}
		wantNames(t, &p, "A")
	})
}

func TestCloseTellsWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dead, sound peer
		dead.hangs()
		sound.answers(func(request) (*http.Response, error) {
			return respond(http.StatusServiceUnavailable, "", "Retry-After", "300"), nil
		})
		s := newStation(t, 10, &dead, &sound)
		s.notify(firing("A"), firing("B"))
		settle()
		sound.received()
		sound.answers(nil)
		abandoned := s.list()[0].mail.metrics.abandoned
		began := time.Now()
		err := s.Close(within(t, 5*time.Second))
		if !errors.Is(err, ErrUndelivered) {
			t.Fatalf("error is %v, want ErrUndelivered", err)
		}
		if want := "http://peer1/api/v2/alerts: 2 alerts left undelivered"; err.Error() != want {
			t.Errorf("error is %q, want %q", err, want)
		}
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("close took %s, want what it was given", took)
		}
		if got := abandoned.Get(); got != 2 {
			t.Errorf("%d alerts counted as lost at shutdown, want 2", got)
		}
		wantNames(t, &sound, "A B")
	})
}

func TestClosedSetRefusesAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		s := newStation(t, 10, &p)
		if err := s.Close(ended()); err != nil {
			t.Fatal(err)
		}
		err := s.Notify(rules.Notification{Alerts: []rules.Alert{firing("A")}})
		if !errors.Is(err, ErrClosed) {
			t.Errorf("error is %v, want ErrClosed", err)
		}
		if got := s.metric("vmalert_alerts_sent_total"); got != "none" {
			t.Errorf("a closed target still shows its metrics: %s", got)
		}
	})
}

func TestClosedMailboxTakesNothing(t *testing.T) {
	m := newMailbox("am", 10)
	m.close()
	if m.put(nil, []rules.Alert{firing("A")}, time.Now()) || m.len() != 0 {
		t.Errorf("a closed mailbox took an alert and holds %d", m.len())
	}
}

func TestAttemptCutShortIsNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		p.hangs()
		s := newStation(t, 10, &p)
		s.notify(firing("A"))
		settle()
		m := s.list()[0].mail.metrics
		if err := s.Close(ended()); !errors.Is(err, ErrUndelivered) {
			t.Errorf("error is %v, want ErrUndelivered", err)
		}
		if errs, sent := m.sendErrors.Get(), m.sent.Get(); errs != 0 || sent != 0 {
			t.Errorf("counted as %d errors and %d sent, want neither", errs, sent)
		}
	})
}

func TestReplacedTargetsAreDrained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stays, goes, comes peer
		s := newStation(t, 10, &stays, &goes)
		s.notify(firing("A"))
		all := endpoints(&stays, &goes, &comes)
		s.use(all[2], all[0])
		wantNames(t, &goes, "A")
		settle()
		s.notify(firing("B"))
		settle()
		wantNames(t, &stays, "A", "B")
		wantNames(t, &comes, "A", "B")
		wantNames(t, &goes)
		if got := s.metric(`vmalert_alerts_sent_total{addr="http://peer2/api/v2/alerts"}`); got != "none" {
			t.Errorf("a target that is gone still shows its metrics: %s", got)
		}
		s.wantMetric(`vmalert_alerts_sent_total{addr="http://peer3/api/v2/alerts"}`, "2")
	})
}

func TestSuccessorAtSameAddressTakesOverQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var wrong, right peer
		wrong.answersWith(http.StatusUnauthorized, "")
		s := newStation(t, 10, &wrong)
		s.notify(firing("A"))
		settle()
		s.use(endpoints(&right)...)
		synctest.Wait()
		wantNames(t, &right, "A")
		s.wantMetric("vmalert_alerts_sent_total", "1")
	})
}

// TestSetIsUsedFromManyGoroutines leaves the judgement to the race detector.
func TestSetIsUsedFromManyGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var old, next peer
		s := newStation(t, 3, &old)
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				for j := range 50 {
					err := s.Notify(rules.Notification{Alerts: []rules.Alert{firing(string(rune('A' + (i+j)%26)))}})
					if err != nil && !errors.Is(err, ErrClosed) {
						t.Error(err)
					}
					s.Targets()
					s.metric("tocsin_notifier_queue_length")
					time.Sleep(10 * time.Millisecond)
				}
			})
		}
		time.Sleep(150 * time.Millisecond)
		if err := s.Use(within(t, time.Second), endpoints(&next)); err != nil {
			t.Error(err)
		}
		time.Sleep(150 * time.Millisecond)
		if err := s.Close(within(t, time.Second)); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if len(old.received()) == 0 || len(next.received()) == 0 {
			t.Error("a target was told nothing")
		}
		if err := s.Use(ended(), nil); !errors.Is(err, ErrClosed) {
			t.Errorf("use after close: %v, want ErrClosed", err)
		}
	})
}

func TestUnstartedSetTellsWhatItLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSet(t, Options{}, Endpoint{URL: "http://am", Transport: &peer{}})
		if err := s.Notify(rules.Notification{Alerts: []rules.Alert{firing("A")}}); err != nil {
			t.Error(err)
		}
		if err := s.Close(ended()); !errors.Is(err, ErrUndelivered) {
			t.Errorf("error is %v, want ErrUndelivered", err)
		}
	})
}

func TestBlackholeCountsAndForgets(t *testing.T) {
	m := metrics.NewSet()
	b := NewBlackhole(m)
	b.Start()
	if err := b.Notify(rules.Notification{Alerts: []rules.Alert{firing("A"), firing("B")}}); err != nil {
		t.Error(err)
	}
	var text strings.Builder
	m.WritePrometheus(&text)
	if want := `vmalert_alerts_sent_total{addr="blackhole"} 2` + "\n"; !strings.Contains(text.String(), want) {
		t.Errorf("metrics lack %q:\n%s", want, text.String())
	}
	if got := b.Targets(); len(got) != 1 || got[0].Address != "blackhole" || got[0].Kind != "static" {
		t.Errorf("targets are %+v", got)
	}
	if err := b.Close(ended()); err != nil {
		t.Error(err)
	}
}
