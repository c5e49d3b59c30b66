package alertmanager

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/prometheus/model/labels"
	"pgregory.net/rapid"

	"tocsin/internal/relabel"
	"tocsin/rules"
)

// relabelMove is one step of a history: an alert begins or ends, the rules change,
// or the peer is up or down from now on.
type relabelMove struct {
	alert, rules int // -1: none
	fires, down  bool
	pause        time.Duration
}

func relabelMoveGen(variants int) *rapid.Generator[relabelMove] {
	return rapid.Custom(func(t *rapid.T) relabelMove {
		return relabelMove{
			alert: rapid.IntRange(-1, 3).Draw(t, "alert"),
			rules: rapid.IntRange(-3, variants-1).Draw(t, "rules"),
			fires: rapid.Bool().Draw(t, "fires"),
			down:  rapid.IntRange(0, 3).Draw(t, "down") == 0,
			pause: time.Duration(rapid.SampledFrom([]int{0, 50, 200, 1000, 7000}).Draw(t, "ms")) * time.Millisecond,
		}
	})
}

// relabelVariants returns rules of all sorts: none, such that make one of several,
// such that drop, and such that change places.
func relabelVariants(t *testing.T) []Relabeling {
	turn := func(from, to string) relabel.Config {
		return relabel.Config{SourceLabels: []string{"host"}, Regex: &from, TargetLabel: "as", Replacement: &to}
	}
	return []Relabeling{
		{},
		{compiled(t, without("host"))},
		{compiled(t, named("tier", "one"))},
		{nil, compiled(t, named("tier", "two"), relabel.Config{
			Action: "drop", SourceLabels: []string{"host"}, Regex: new("h[01]"),
		})},
		{compiled(t, turn("h0", "x"), turn("h1", "y"), turn("h[23]", "z"), without("host"))},
		{compiled(t, turn("h0", "y"), turn("h1", "x"), turn("h[23]", "x"), without("host"))},
	}
}

// believer is a peer that believes the last it heard of each label set.
type believer struct {
	peer
	down  bool
	fires map[string]bool
}

func (b *believer) hear(r request) (*http.Response, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down {
		return respond(http.StatusServiceUnavailable, ""), nil
	}
	for _, a := range r.alerts {
		b.fires[labels.FromMap(a.Labels).String()] = a.EndsAt.After(r.at)
	}
	return respond(http.StatusOK, ""), nil
}

func (b *believer) be(down bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down = down
}

// TestPeerBelievesWhatFiresUnderTheLabelsOfTheRulesInForce holds whatever was
// relabeled how before, once every alert that fires has been told again.
func TestPeerBelievesWhatFiresUnderTheLabelsOfTheRulesInForce(t *testing.T) {
	variants := relabelVariants(t)
	rapid.Check(t, func(rt *rapid.T) {
		history := rapid.SliceOfN(relabelMoveGen(len(variants)), 1, 25).Draw(rt, "history")
		var diff string
		synctest.Test(t, func(t *testing.T) { diff = playRelabeling(t, variants, history) })
		if diff != "" {
			rt.Fatalf("%s\nafter %+v", diff, history)
		}
	})
}

// playRelabeling returns how what the peer believes in the end differs from what is.
func playRelabeling(t *testing.T, variants []Relabeling, history []relabelMove) string {
	p := &believer{fires: map[string]bool{}}
	p.answer = p.hear
	s := newStation(t, 10)
	inForce := variants[0]
	s.relabeled(&p.peer, inForce)
	since := map[int]rules.Alert{}
	tell := func(i int, fires bool) {
		a, known := since[i]
		switch {
		case !known && !fires:
			return
		case !known:
			a = on(firing("A"), fmt.Sprint("h", i))
		}
		a.EndsAt = time.Now().Add(time.Hour)
		since[i] = a
		if !fires {
			a.EndsAt, a.Resolved = time.Now(), true
			delete(since, i)
		}
		s.notify(a)
	}
	for _, m := range history {
		p.be(m.down)
		if m.rules >= 0 {
			inForce = variants[m.rules]
			s.relabeled(&p.peer, inForce)
		}
		if m.alert >= 0 {
			tell(m.alert, m.fires)
		}
		time.Sleep(m.pause)
	}
	p.be(false)
	for range 2 { // the second time nothing is news
		for i := range 4 {
			tell(i, since[i].Labels.Len() > 0)
		}
		time.Sleep(retryMax + time.Second)
	}
	var want []string
	for _, a := range since {
		if l := inForce.apply(a.Labels); !l.IsEmpty() {
			want = append(want, l.String())
		}
	}
	slices.Sort(want)
	p.mu.Lock()
	defer p.mu.Unlock()
	var got []string
	for l, fires := range p.fires {
		if fires {
			got = append(got, l)
		}
	}
	slices.Sort(got)
	return cmp.Diff(slices.Compact(want), got, cmpopts.EquateEmpty())
}
