package rules_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// a holds from one time to another, again and again: an even number of them.
type holds []time.Duration

func (h holds) at(since time.Duration) bool {
	for i := 0; i < len(h); i += 2 {
		if since >= h[i] && since < h[i+1] {
			return true
		}
	}
	return false
}

// past is a story of an alert that is evaluated until 25s, and again from 2m0s on.
type past struct {
	holds holds
	rule  func(r *config.Rule)
	// told is what the first evaluation afterwards tells.
	told string
	// written is in what it writes.
	written string
}

func (p *past) play(t *testing.T, pause time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		j := w.journaled()
		w.catchesUp(time.Hour)
		w.datasource.SetTrack("x", func(at time.Time) []rules.Sample {
			if since := at.Sub(start); p.holds.at(since) {
				return []rules.Sample{rulestest.Sample(since.Seconds())}
			}
			return nil
		})
		r := alerting("A", "x", 0)
		r.Annotations = []config.Pair{{Name: "summary", Value: "{{value}}"}}
		if p.rule != nil {
			p.rule(&r)
		}
		g := group("g", r)
		w.apply(g)
		w.pass(25 * time.Second)
		w.down(j, pause)
		w.apply(g)
		w.pass(time.Second)
		w.expect("told", joined(w.toldAlerts(start)), p.told)
		if got := w.written(start); !strings.Contains(got, p.written) {
			t.Errorf("written %s, want %s", got, p.written)
		}
	})
}

const pause = 95 * time.Second

func firingAfter(hold, keep time.Duration) func(*config.Rule) {
	return func(r *config.Rule) { r.For, r.KeepFiringFor = hold, keep }
}

func TestAlertThatBeganAndEndedInTheGapIsToldToNobody(t *testing.T) {
	p := past{
		holds: holds{40 * time.Second, 60 * time.Second},
		written: "ALERTS{g A firing}=1@40s ALERTS_FOR_STATE{g A}=9.4668484e+08@40s ALERTS{g A firing}=1@50s ALERTS_FOR_STATE{g A}=9.4668484e+08@50s " +
			"ALERTS{g A firing}=stale@1m0s ALERTS_FOR_STATE{g A}=stale@1m0s",
	}
	p.play(t, pause)
}

func TestAlertThatBeganInTheGapIsToldWithItsBeginning(t *testing.T) {
	p := past{
		holds: holds{40 * time.Second, time.Hour}, rule: firingAfter(30*time.Second, 0),
		told:    `{g A} firing 1m10s "120"`,
		written: "ALERTS{g A pending}=stale@1m10s ALERTS{g A firing}=1@1m10s",
	}
	p.play(t, pause)
}

func TestClockThatRanInTheGapGoesOn(t *testing.T) {
	p := past{
		holds: holds{10 * time.Second, time.Hour}, rule: firingAfter(2*time.Minute, 0),
		written: "ALERTS{g A pending}=1@2m0s ALERTS_FOR_STATE{g A}=9.4668481e+08@2m0s",
	}
	p.play(t, pause)
}

func TestClockThatWasInterruptedInTheGapStartsOver(t *testing.T) {
	p := past{
		holds: holds{0, 50 * time.Second, 60 * time.Second, time.Hour}, rule: firingAfter(90*time.Second, 0),
		written: "ALERTS{g A pending}=1@2m0s ALERTS_FOR_STATE{g A}=9.4668486e+08@2m0s",
	}
	p.play(t, pause)
}

func TestAlertThatEndedInTheGapIsToldWithItsEnd(t *testing.T) {
	p := past{
		holds: holds{0, 50 * time.Second}, told: `{g A} resolved 0s-50s "40", {g A} resolved 0s-50s "40"`,
		written: "ALERTS{g A firing}=stale@50s",
	}
	p.play(t, pause)
}

// Nobody remembers for so long that it was resolved, but somebody believes it fires.
func TestAlertThatEndedLongAgoInTheGapIsTold(t *testing.T) {
	p := past{holds: holds{0, 50 * time.Second}, told: `{g A} resolved 0s-50s "40"`}
	p.play(t, 30*time.Minute)
}

func TestAlertThatEndedAndIsPendingAgainIsToldWithItsEnd(t *testing.T) {
	p := past{
		holds: holds{0, 50 * time.Second, 110 * time.Second, time.Hour}, rule: firingAfter(20*time.Second, 0),
		told: `{g A} resolved 20s-50s "40"`,
	}
	p.play(t, pause)
}

func TestAlertThatEndedAndFiresAgainIsToldWithBoth(t *testing.T) {
	p := past{
		holds: holds{0, 50 * time.Second, 80 * time.Second, time.Hour},
		told:  `{g A} resolved 0s-50s "40", {g A} firing 1m20s "120"`,
	}
	p.play(t, pause)
}

// The value of an alert that only keep_firing_for holds is that of when it was seen
// last.
func TestAlertThatIsHeldSinceTheGapHasItsText(t *testing.T) {
	p := past{
		holds: holds{40 * time.Second, 90 * time.Second}, rule: firingAfter(0, 10*time.Minute),
		told: `{g A} firing 40s "80"`,
	}
	p.play(t, pause)
}

func TestAlertThatIsHeldInTheGapAndEndsIsToldWithItsEnd(t *testing.T) {
	p := past{
		holds: holds{0, 50 * time.Second}, rule: firingAfter(0, 30*time.Second),
		told: `{g A} resolved 0s-1m20s "40", {g A} resolved 0s-1m20s "40"`,
	}
	p.play(t, pause)
}

// A datasource that is out of reach for a minute is no reason for an alert to begin
// anew.
func TestOutageDoesNotDisturbAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.catchesUp(time.Hour)
		w.datasource.Set("x", rulestest.Sample(1))
		w.apply(group("g", alerting("F", "x", 0), alerting("P", "x", time.Minute)))
		w.pass(25 * time.Second)
		w.datasource.Hook(func(context.Context, rules.Query) error { return errors.New("no answer") })
		w.pass(time.Minute)
		w.datasource.Hook(nil)
		w.forget()
		w.pass(10 * time.Second)
		w.expect("told", joined(w.toldAlerts(start)), "{g F} firing 0s, {g P} firing 1m0s")
		if got, want := w.written(start), "ALERTS{g P pending}=stale@1m0s ALERTS{g P firing}=1@1m0s"; !strings.Contains(got, want) {
			t.Errorf("written %s, want %s", got, want)
		}
	})
}

// The present evaluation fails, and the one after it does not know that there was a
// gap.
func TestTextsAreMadeUpForWhenThePresentFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.catchesUp(time.Hour)
		w.datasource.SetTrack("x", func(at time.Time) (all []rules.Sample) {
			since := at.Sub(start)
			if since >= 40*time.Second {
				all = append(all, rulestest.Sample(5, "x", "1"))
			}
			if since == 70*time.Second {
				all = append(all, rulestest.Sample(5, "x", "2"))
			}
			return all
		})
		r := alerting("A", "x", 0)
		r.Annotations = []config.Pair{{Name: "summary", Value: "text"}}
		g := group("g", r)
		g.Limit = 1
		w.apply(g)
		w.pass(25 * time.Second)
		w.datasource.Hook(func(context.Context, rules.Query) error { return errors.New("no answer") })
		w.pass(40 * time.Second)
		w.datasource.Hook(nil)
		w.pass(10 * time.Second)
		w.notifier.Sent()
		w.pass(10 * time.Second)
		w.expect("told", joined(w.toldAlerts(start)), `{g A 1} firing 40s "text"`)
	})
}

// For Alertmanager an alert whose rule demands more time was over. That it fires
// again is told although it was told of lately.
func TestAlertThatWasWithdrawnAndFiresInTheGapIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.deps.Options.ResendDelay = time.Hour
		w.catchesUp(time.Hour)
		w.datasource.Set("x", rulestest.Sample(1))
		w.apply(group("g", alerting("A", "x", 0)))
		w.pass(25 * time.Second)
		w.apply(group("g", alerting("A", "x", 50*time.Second)))
		w.pass(10 * time.Second)
		w.expect("told of the edit", joined(w.toldAlerts(start)), "{g A} firing 0s, {g A} resolved 0s-30s")
		w.datasource.Hook(func(context.Context, rules.Query) error { return errors.New("no answer") })
		w.pass(20 * time.Second)
		w.datasource.Hook(nil)
		w.pass(10 * time.Second)
		w.expect("told", joined(w.toldAlerts(start)), "{g A} firing 50s")
	})
}

// Texts are for those who are told, and that is now.
func TestTextsOfThePastAskNothing(t *testing.T) {
	p := past{holds: holds{0, 100 * time.Second}}
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.catchesUp(time.Hour)
		w.datasource.SetTrack("x", func(at time.Time) []rules.Sample {
			if p.holds.at(at.Sub(start)) {
				return []rules.Sample{rulestest.Sample(at.Sub(start).Seconds())}
			}
			return nil
		})
		r := alerting("A", "x", 0)
		r.Annotations = []config.Pair{{Name: "summary", Value: "{{query}}"}}
		w.apply(group("g", r))
		w.pass(15 * time.Second)
		w.datasource.Hook(func(context.Context, rules.Query) error { return errors.New("no answer") })
		w.pass(50 * time.Second)
		w.datasource.Hook(nil)
		w.datasource.Asked()
		w.pass(10 * time.Second)
		w.expect("asked", exprs(w.datasource.Asked()), "x template query")
	})
}
