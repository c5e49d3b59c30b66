package alertmanager

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tocsin/config"
	"tocsin/rules"
)

// mood is how the peer of the model answers for a while.
type mood uint8

const (
	kind       mood = iota // takes everything
	down                   // no connection
	hanging                // never answers
	forgetful              // takes the alerts and answers 500
	crowded                // refuses requests of more than two alerts
	picky                  // takes the alerts and answers 400
	headstrong             // refuses requests with headers
	moods
)

// move is one step of a history: an alert is handed over, or the peer changes its
// mood, or time passes.
type move struct {
	alert    int // -1 if none
	resolved bool
	headers  bool
	mood     mood
	pause    time.Duration
}

func moveGen() *rapid.Generator[move] {
	return rapid.Custom(func(t *rapid.T) move {
		return move{
			alert:    rapid.IntRange(-1, 5).Draw(t, "alert"),
			resolved: rapid.Bool().Draw(t, "resolved"),
			headers:  rapid.Bool().Draw(t, "headers"),
			mood:     mood(rapid.IntRange(0, int(moods)-1).Draw(t, "mood")),
			pause:    time.Duration(rapid.SampledFrom([]int{0, 1, 50, 150, 700, 4000, 30000}).Draw(t, "ms")) * time.Millisecond,
		}
	})
}

// modelPeer remembers the last state of each alert it was told of.
type modelPeer struct {
	peer
	mood  mood
	knows map[string]string
}

func (p *modelPeer) respond(r request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	status := http.StatusOK
	switch p.mood {
	case down:
		return nil, errors.New("connection refused")
	case hanging:
		return nil, nil
	case forgetful:
		status = http.StatusInternalServerError
	case picky:
		status = http.StatusBadRequest
	case crowded:
		if len(r.alerts) > 2 {
			return respond(http.StatusRequestEntityTooLarge, ""), nil
		}
	case headstrong:
		if r.header.Get("X-Team") != "" {
			return respond(http.StatusForbidden, ""), nil
		}
	}
	for _, a := range r.alerts {
		p.knows[a.name()] = a.Annotations["text"]
	}
	return respond(status, ""), nil
}

func (p *modelPeer) be(m mood) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mood = m
}

// TestPeerEndsUpKnowingLatestStates holds whatever the peer did before it
// recovered, and whatever was handed over meanwhile.
func TestPeerEndsUpKnowingLatestStates(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		history := rapid.SliceOfN(moveGen(), 1, 40).Draw(rt, "history")
		batch := rapid.IntRange(1, 4).Draw(rt, "batch size")
		var diff string
		synctest.Test(t, func(t *testing.T) { diff = playHistory(t, history, batch) })
		if diff != "" {
			rt.Fatal(diff)
		}
	})
}

// playHistory returns how what the peer knows in the end differs from what was
// last handed over.
func playHistory(t *testing.T, history []move, batch int) string {
	p := &modelPeer{knows: map[string]string{}}
	p.answer = p.respond
	s := newStation(t, batch, &p.peer)
	want := map[string]string{}
	for i, m := range history {
		p.be(m.mood)
		if m.alert >= 0 {
			name := fmt.Sprint("A", m.alert)
			a := firing(name)
			if m.resolved {
				a = resolved(name)
			}
			var headers []config.Pair
			if m.headers {
				headers = []config.Pair{{Name: "X-Team", Value: "blue"}}
			}
			want[name] = strconv.Itoa(i)
			s.notifyWith(headers, saying(a, want[name]))
		}
		if queued := s.Targets()[0].Queued; queued > len(want) {
			return fmt.Sprintf("%d states queued of %d alerts", queued, len(want))
		}
		time.Sleep(m.pause)
	}
	p.be(kind)
	time.Sleep(defaultSendTimeout + retryMax + time.Second)
	if queued := s.Targets()[0].Queued; queued != 0 {
		return fmt.Sprintf("%d states still queued after recovery", queued)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return cmp.Diff(want, p.knows)
}

// TestAlertsAreToldInOrderOfNotification holds while the peer is sound: per
// alert, later states arrive later.
func TestAlertsAreToldInOrderOfNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		p.answers(func(request) (*http.Response, error) {
			time.Sleep(30 * time.Millisecond)
			return respond(http.StatusOK, ""), nil
		})
		s := newStation(t, 3, &p)
		for i := range 200 {
			a := saying(firing(fmt.Sprint("A", i%7)), strconv.Itoa(i))
			s.notify([]rules.Alert{a}...)
			time.Sleep(20 * time.Millisecond)
		}
		settle()
		last := map[string]int{}
		for _, r := range p.received() {
			for _, a := range r.alerts {
				n, err := strconv.Atoi(a.Annotations["text"])
				if err != nil {
					t.Fatal(err)
				}
				if before, ok := last[a.name()]; ok && n <= before {
					t.Errorf("%s: state %d was told after %d", a.name(), n, before)
				}
				last[a.name()] = n
			}
		}
		got := slices.Sorted(maps.Values(last))
		if diff := cmp.Diff([]int{193, 194, 195, 196, 197, 198, 199}, got); diff != "" {
			t.Error(diff)
		}
	})
}
