package rules_test

import (
	"testing"
	"testing/synctest"
	"time"

	"tocsin/rules"
)

// What is shown of a group is named by its serial: it is another after every round
// and every reload, also for the group that took the place of a former one.
func TestNoTwoSnapshotsHaveTheSameSerial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		shown := map[uint64]*rules.Snapshot{}
		look := func() (fresh int) {
			for _, s := range w.manager.Groups() {
				if s.Serial == 0 {
					t.Errorf("%s is shown without a serial", s.Group.Key)
				}
				if other := shown[s.Serial]; other == nil {
					shown[s.Serial] = s
					fresh++
				} else if other != s {
					t.Errorf("%s and %s both have the serial %d", other.Group.Key, s.Group.Key, s.Serial)
				}
			}
			return fresh
		}
		w.apply(group("a", alerting("A", "up == 0", 0)), group("b", alerting("B", "up == 0", 0)))
		if n := look(); n != 2 {
			t.Errorf("at the start %d snapshots are new", n)
		}
		if n := look(); n != 0 {
			t.Errorf("nothing happened, and %d snapshots are new", n)
		}
		w.pass(10 * time.Second)
		if n := look(); n != 2 {
			t.Errorf("after a round %d snapshots are new", n)
		}
		w.apply(group("a", alerting("A", "up == 0", time.Minute)), group("b", alerting("B", "up == 0", 0)))
		if n := look(); n != 1 {
			t.Errorf("after a reload of one group %d snapshots are new", n)
		}
	})
}
