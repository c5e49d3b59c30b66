package rules_test

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// storedEventful returns the state of eventful after 65 seconds.
func storedEventful(t *testing.T) (stored rules.GroupState) {
	synctest.Test(t, func(t *testing.T) {
		_, j, _ := untilCrash(t, eventful())
		stored = states(j.kept())[0]
	})
	return stored
}

// goesOn restarts the group of a state that was damaged, and reports a rule that
// is not evaluated.
func goesOn(t *testing.T, s rules.GroupState) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.journaled()
		w.catchesUp(time.Hour)
		w.restores()
		w.datasource.HookRange(func(_ context.Context, q rules.RangeQuery) error {
			if q.Step <= 0 || q.To.Before(q.From) || q.To.Sub(q.From)/q.Step > 11_000 {
				return rules.ErrRejected
			}
			return nil
		})
		w.datasource.Set("f", rulestest.Sample(7, "instance", "i"))
		w.pass(90 * time.Second)
		_ = w.manager.Recover([]rules.GroupState{s}) // what cannot be read is left out
		w.apply(eventful())
		before := time.Now()
		w.pass(25 * time.Second)
		for _, r := range w.manager.Groups()[0].Rules {
			if last, _ := r.History.Last(); last.Began.Time().Before(before) || last.Error != "" {
				t.Errorf("the last evaluation of %s began at %s, with error %q", r.Rule.Name, last.Began.Time(), last.Error)
			}
		}
		rules.ContentForTest(w.manager.Groups()[0])
	})
}

// Whichever bit of a stored state is not what it was, the group goes on, with what
// the state says or without it.
func TestGroupGoesOnFromADamagedState(t *testing.T) {
	stored := storedEventful(t)
	for name, data := range map[string][]byte{"packed": stored.Data, "as it is": rules.UnpackedForTest(stored.Data)} {
		t.Run(name, func(t *testing.T) {
			for at := 0; at < len(data); at += 3 {
				damaged := bytes.Clone(data)
				damaged[at] ^= 1 << (at / 3 % 8)
				goesOn(t, rules.GroupState{Group: stored.Group, Data: damaged})
			}
		})
	}
}

func TestStateThatCannotBeReadCostsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, j, start := untilCrash(t, group("bad", alerting("B", "f", 0)), group("good", alerting("F", "f", 0)))
		w.crash(j)
		kept := states(j.kept())
		for i := range kept {
			if s := &kept[i]; s.Group.Name == "bad" {
				s.Data = s.Data[:len(s.Data)-1]
			}
		}
		w.manager = rules.NewManager()
		const want = `group "bad" of f.yml: malformed group state`
		if err := w.manager.Recover(kept); err == nil || err.Error() != want {
			t.Errorf("got error %v, want %s", err, want)
		}
		w.datasource.Hang()
		w.apply(group("bad", alerting("B", "f", 0)), group("good", alerting("F", "f", 0)))
		w.expect("shown", w.shown(start), "F firing since 0s")
	})
}

// A state that cannot be read does not stay for ever: it goes with its group.
func TestStateThatCannotBeReadGoesWithItsGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		j := w.journaled()
		key := group("gone").Key
		if err := w.manager.Recover([]rules.GroupState{{Group: key, Data: []byte("?")}}); err == nil {
			t.Error("a state was read of what is none")
		}
		w.apply(group("g", alerting("A", "f", 0)))
		w.pass(time.Second)
		for _, r := range j.kept() {
			for _, s := range r.States {
				if s.Group == key && s.Data == nil {
					return
				}
			}
		}
		t.Error("the state was not removed")
	})
}
