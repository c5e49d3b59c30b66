package verdict

import (
	"fmt"
	"strconv"
	"time"

	"tocsin/internal/faults/witness"
	"tocsin/internal/faults/world"
)

// History says what became of the samples of ALERTS: for each evaluation time in
// which an alert was active, one that says in which state.
type History struct {
	Expected int
	Missing  int
	Wrong    int // in another state
	Examples []string
}

// Lost returns how many samples are not as they should be.
func (h *History) Lost() int { return h.Missing + h.Wrong }

// CheckHistory compares the stored series of ALERTS with what the world demands.
// Times about which data was late are left out.
func CheckHistory(w *world.World, span Span, stored []witness.Series) History {
	got := map[string]bool{}
	for _, s := range stored {
		key := historyKey(s.Labels["alertname"], s.Labels[world.InstanceLabel], s.Labels["alertstate"])
		for i, t := range s.Times {
			if s.Values[i] == 1 {
				got[key+strconv.FormatInt(t, 10)] = true
			}
		}
	}
	var h History
	for _, f := range w.Firings() {
		instance := strconv.Itoa(f.Instance)
		for at := f.Active; at.Before(f.Resolves); at = at.Add(f.Interval) {
			if at.Before(span.From) || at.After(span.To) || span.lagsSince(&f, at) {
				continue
			}
			want, other := "pending", "firing"
			if !at.Before(f.Fires) {
				want, other = other, want
			}
			ms := strconv.FormatInt(at.UnixMilli(), 10)
			h.sample(f.Alert+"/"+instance, want, at,
				got[historyKey(f.Alert, instance, want)+ms], got[historyKey(f.Alert, instance, other)+ms])
		}
	}
	return h
}

func (h *History) sample(who, want string, at time.Time, as, otherwise bool) {
	h.Expected++
	switch {
	case as && !otherwise:
		return
	case !as && !otherwise:
		h.Missing++
	default:
		h.Wrong++
	}
	if len(h.Examples) < maxExamples {
		h.Examples = append(h.Examples, fmt.Sprintf("ALERTS of %s at %s: %s stored %t, other state stored %t", who, clock(at), want, as, otherwise))
	}
}

// lagsSince reports whether late data can have decided the state of f at a time.
func (s *Span) lagsSince(f *world.Firing, at time.Time) bool {
	return s.lag(at, f.Interval) > 0 || s.lag(f.Active, f.Interval) > 0
}

func historyKey(alert, instance, state string) string {
	return alert + "/" + instance + "/" + state + "/"
}
