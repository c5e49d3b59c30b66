package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func everything(t *testing.T) Set {
	t.Helper()
	s, err := NewSet("*/*")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustPlan(t *testing.T, o Options) Plan {
	t.Helper()
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSameSeedGivesSamePlan(t *testing.T) {
	o := Options{Seed: 7, Duration: 5 * time.Minute, Kills: 100, Faults: everything(t)}
	if diff := cmp.Diff(mustPlan(t, o), mustPlan(t, o)); diff != "" {
		t.Errorf("two plans of one seed differ:\n%s", diff)
	}
	other := o
	other.Seed = 8
	if cmp.Equal(mustPlan(t, o), mustPlan(t, other)) {
		t.Error("another seed gives the same plan")
	}
}

// TestTargetsDoNotDependOnEachOther narrows the faults: those that are left happen
// when they would have happened anyway.
func TestTargetsDoNotDependOnEachOther(t *testing.T) {
	o := Options{Seed: 7, Duration: 5 * time.Minute, Kills: 100, Faults: everything(t)}
	all := mustPlan(t, o)
	var err error
	if o.Faults, err = NewSet("storage/*"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(all.Of(Storage), []Fault(mustPlan(t, o))); diff != "" {
		t.Errorf("faults of storage with all and without others:\n%s", diff)
	}
}

func TestPlanKeepsItsBounds(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		o := Options{
			Seed:     rapid.Uint64().Draw(r, "seed"),
			Duration: time.Duration(rapid.IntRange(int(time.Minute), int(20*time.Minute)).Draw(r, "duration")),
			Kills:    rapid.IntRange(0, 60).Draw(r, "kills"),
			Faults:   everything(t),
		}
		p, err := New(o)
		if err != nil {
			r.Fatal(err)
		}
		kills := 0
		for _, target := range Targets {
			var free time.Duration
			for _, f := range p.Of(target) {
				if f.At < free {
					r.Fatalf("%s begins at %s, before the fault until %s is over", f.Name(), f.At, free)
				}
				free = f.At + f.Length
				if free > o.Duration {
					r.Fatalf("%s ends at %s, the faults at %s", f.Name(), free, o.Duration)
				}
				if f.Kind == Kill {
					kills++
				}
				if target != Process && f.Length > Longest(target, o.Duration) {
					r.Fatalf("%s lasts %s", f.Name(), f.Length)
				}
			}
		}
		if kills != o.Kills {
			r.Fatalf("%d kills, want %d", kills, o.Kills)
		}
	})
}

func TestEveryKindHasItsTurn(t *testing.T) {
	p := mustPlan(t, Options{Seed: 1, Duration: 6 * time.Minute, Kills: 200, Faults: everything(t)})
	seen := map[string]bool{}
	for _, f := range p {
		seen[f.Name()] = true
	}
	for _, target := range Targets {
		for _, k := range Kinds(target) {
			if !seen[name(target, k)] {
				t.Errorf("%s does not happen", name(target, k))
			}
		}
	}
}

func TestLongestOutageHappens(t *testing.T) {
	d := 6 * time.Minute
	p := mustPlan(t, Options{Seed: 3, Duration: d, Faults: everything(t)})
	for _, target := range []Target{Datasource, Storage, AlertmanagerA, AlertmanagerB} {
		var longest time.Duration
		for _, f := range p.Of(target) {
			longest = max(longest, f.Length)
		}
		if longest != Longest(target, d) {
			t.Errorf("longest fault of %s is %s, want %s", target, longest, Longest(target, d))
		}
	}
}

func TestKillsThatDoNotFitAreRefused(t *testing.T) {
	if p, err := New(Options{Duration: 10 * time.Second, Kills: 200, Faults: everything(t)}); err == nil {
		t.Errorf("200 kills in 10s make a plan of %d faults", len(p))
	}
}

func TestSetIsWhatPatternsMatch(t *testing.T) {
	s, err := NewSet("*/hang", "process/kill")
	if err != nil {
		t.Fatal(err)
	}
	want := Set{"datasource/hang", "storage/hang", "alertmanager-a/hang", "alertmanager-b/hang", "process/kill"}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, wrong := range []string{"storage/kill", "[", "hang"} {
		if s, err := NewSet(wrong); err == nil {
			t.Errorf("pattern %q gives %v", wrong, s)
		}
	}
}

func TestNoFaultsIsAPlan(t *testing.T) {
	if p := mustPlan(t, Options{Duration: time.Minute, Kills: 10}); len(p) != 0 {
		t.Errorf("without sorts of fault there are %v", p)
	}
}
