package rules_test

import (
	"maps"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/value"
	"pgregory.net/rapid"

	"tocsin/rules"
)

// belief is what storage and an Alertmanager have been told and not been told
// the end of.
type belief struct{ live, firing map[string]bool }

func newBelief() belief { return belief{live: map[string]bool{}, firing: map[string]bool{}} }

func (b belief) add(o belief) {
	maps.Copy(b.live, o.live)
	maps.Copy(b.firing, o.firing)
}

// told is what the world must believe of the rule.
func (m *modelRule) told() belief {
	b := newBelief()
	for i := range m.alerts {
		a := &m.alerts[i]
		if active(a.state) {
			b.live[a.alerts(a.state).String()], b.live[a.clock().String()] = true, true
		}
		if a.state == rules.Firing {
			b.firing[a.labels.String()] = true
		}
	}
	for _, l := range m.recorded {
		b.live[l.String()] = true
	}
	return b
}

// ledger is what the world believes after all that it was told.
type ledger struct {
	belief
	last map[string]int64 // the time of a series' newest sample; nil if the clock may be set back
	// off are results that are not followed: several rules have told of them.
	off map[string]bool
}

func newLedger() *ledger {
	return &ledger{belief: newBelief(), off: map[string]bool{}}
}

// enter takes down what was told: only what lives can end, and time goes on.
func (l *ledger) enter(t rapid.TB, series []rules.Series, alerts []rules.Alert) {
	t.Helper()
	for _, s := range series {
		full := s.Full()
		name := full.String()
		if l.off[full.Get("of")] {
			continue
		}
		if l.last != nil {
			if last, ok := l.last[name]; ok && s.T <= last {
				t.Fatalf("%s has a sample at %d after one at %d", name, s.T, last)
			}
			l.last[name] = s.T
		}
		switch ended := value.IsStaleNaN(s.V); {
		case ended && !l.live[name]:
			t.Fatalf("%s is ended, but does not live", name)
		case ended:
			delete(l.live, name)
		default:
			l.live[name] = true
		}
	}
	for _, a := range alerts {
		if a.Resolved {
			delete(l.firing, a.Labels.String())
		} else if !l.off[a.Labels.Get("of")] {
			l.firing[a.Labels.String()] = true
		}
	}
}

// balance compares what the world believes with what it must.
func (l *ledger) balance(t rapid.TB, want belief) {
	t.Helper()
	if !maps.Equal(want.live, l.live) || !maps.Equal(want.firing, l.firing) {
		t.Fatalf("the world believes (-want +got):\n%s", cmp.Diff(want, l.belief, cmp.AllowUnexported(belief{})))
	}
}

// forget drops what was told of some results.
func (l *ledger) forget(of string) {
	maps.DeleteFunc(l.live, func(name string, _ bool) bool { return isOf(name, of) })
	maps.DeleteFunc(l.firing, func(name string, _ bool) bool { return isOf(name, of) })
}

// restart has some results be followed from any time: their rule is in another
// group, which has moments of its own.
func (l *ledger) restart(of string) {
	maps.DeleteFunc(l.last, func(name string, _ int64) bool { return isOf(name, of) })
}

func isOf(name, of string) bool { return strings.Contains(name, `of="`+of+`"`) }
