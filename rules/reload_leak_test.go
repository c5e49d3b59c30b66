package rules_test

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"sync"
	"testing"
	"time"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// generation returns configuration number n of three files: each differs from the
// one before in what is edited, moved, renamed, added, removed, broken or refused.
func generation(n int) rules.Plan {
	quick := func(file, name string, rs ...config.Rule) config.Group {
		g := inFile(file, group(name, rs...))
		g.Interval = time.Millisecond
		return g
	}
	expr := fmt.Sprintf("v%d", n%7)
	rs := []config.Rule{alerting("A", expr, 0), alerting("B", expr, time.Duration(n%3)*time.Millisecond), recording("r", expr)}
	if n%5 == 1 {
		rs[0].Labels = []config.Pair{{Name: "l", Value: "{{value}}"}}
	}
	p := rules.Plan{AllOrNothing: n%6 == 5}
	p.Files = files(quick("a.yml", "whole", rs...))
	if n%4 == 1 {
		p.Files = append(p.Files, bad("b.yml"))
	} else {
		p.Files = append(p.Files, files(quick("b.yml", fmt.Sprintf("named%d", n%3), rs[n%3]))...)
	}
	if n%2 == 0 || p.AllOrNothing {
		spoilt := alerting("C", expr, 0)
		if n%4 == 0 || p.AllOrNothing {
			spoilt.Annotations = []config.Pair{{Name: "summary", Value: "{{bad}}"}}
		}
		p.Files = append(p.Files, files(quick("c.yml", "moving", rs[1], spoilt))...)
	}
	return p
}

// reloadBy puts generations from first to last in force.
func (w *world) reloadBy(first, last int) (applied, partly, refused int) {
	for n := first; n < last; n++ {
		p := generation(n)
		deps := *w.deps
		deps.Templates = rulestest.Templates{Version: byte(n % 7 / 6)}
		p.Deps = &deps
		if _, err := w.manager.Preview(p); err != nil {
			w.t.Error(err)
		}
		change, err := w.manager.Apply(p)
		switch {
		case err != nil:
			w.t.Error(err)
		case change.Refused:
			refused++
		case len(change.Problems) > 0:
			partly++
		default:
			applied++
		}
	}
	return applied, partly, refused
}

// seriesAboutGroups counts the metrics of groups and rules.
func (w *world) seriesAboutGroups() int {
	var b bytes.Buffer
	w.manager.WriteMetrics(&b)
	return bytes.Count(b.Bytes(), []byte("\n"))
}

func TestReloadsOfAllKindsLeaveNothingBehind(t *testing.T) {
	w := newWorld(t)
	for n := range 7 {
		w.datasource.Set(fmt.Sprintf("v%d", n), rulestest.Sample(1))
	}
	// As many generations as it takes until all is as at first.
	const cycle = 2 * 2 * 3 * 5 * 7
	// Rounds go on meanwhile, and all they do is noted: what counts is the least
	// that is seen.
	measure := func(most uint64) (goroutines int, objects uint64, series int) {
		goroutines, objects = math.MaxInt, math.MaxUint64
		for try := 0; try < 10 || try < 200 && objects > most; try++ {
			w.forget()
			g, o := settled()
			goroutines, objects = min(goroutines, g), min(objects, o)
		}
		return goroutines, objects, w.seriesAboutGroups()
	}
	w.reloadBy(0, cycle)
	goroutines, objects, series := measure(math.MaxUint64)
	applied, partly, refused := w.reloadBy(cycle, 2*cycle)
	if applied == 0 || partly == 0 || refused == 0 {
		t.Fatalf("%d reloads applied, %d partly, %d refused: want some of each", applied, partly, refused)
	}
	most := objects + cycle // a group that stays behind costs dozens
	goroutinesAfter, objectsAfter, seriesAfter := measure(most)
	if goroutinesAfter > goroutines+3 {
		t.Errorf("%d goroutines after %d more reloads, %d before", goroutinesAfter, cycle, goroutines)
	}
	if objectsAfter > most {
		t.Errorf("%d heap objects after %d more reloads, %d before", objectsAfter, cycle, objects)
	}
	if seriesAfter != series {
		t.Errorf("%d series after %d more reloads, %d before", seriesAfter, cycle, series)
	}
}

// Readers, evaluations, previews and reloads of all kinds go on at once. Readers
// see groups of one configuration, never some of each.
func TestReadersAndPreviewsDuringReloadsOfAllKinds(t *testing.T) {
	w := newWorld(t)
	for n := range 7 {
		w.datasource.Set(fmt.Sprintf("v%d", n), rulestest.Sample(1))
	}
	w.reloadBy(0, 3)
	done := make(chan struct{})
	var readers sync.WaitGroup
	during := func(f func()) {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					f()
				}
			}
		})
	}
	during(func() {
		for _, g := range w.manager.Groups() {
			if g.Group.Key.Name == "whole" && g.Rules[0].Rule.Expr != g.Rules[2].Rule.Expr {
				t.Errorf("rules of two configurations: %+v", g.Rules)
			}
			read(g)
		}
	})
	during(func() { w.manager.WriteMetrics(io.Discard) })
	readers.Go(func() {
		for n := range 50 {
			p := generation(n)
			p.Deps = w.deps
			if _, err := w.manager.Preview(p); err != nil {
				t.Error(err)
			}
		}
	})
	w.reloadBy(3, 123)
	close(done)
	readers.Wait()
}

// read looks at everything a snapshot shows.
func read(s *rules.Snapshot) (n int) {
	for i := range s.Rules {
		r := &s.Rules[i]
		for u := range r.History.All() {
			n += u.Samples
		}
		for j := range r.Alerts() {
			n += r.Alerts()[j].Labels.Len() + r.Alerts()[j].Annotations.Len()
		}
	}
	return n
}
