package verdict

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"tocsin/internal/faults/witness"
	"tocsin/internal/faults/world"
)

// maxExamples is how many of what is wrong are told in words.
const maxExamples = 8

// Records says what became of the samples that recording rules owe.
type Records struct {
	Expected int
	Missing  int
	Wrong    int // with another value than the data of their time
	Strange  int // where there is nothing to be recorded
	Twice    int // stored more than once, alike; no loss

	Holes    []time.Time // the times of the samples missing, wrong or strange
	Examples []string
}

// Lost returns how many samples are not as they should be.
func (r *Records) Lost() int { return r.Missing + r.Wrong + r.Strange }

// Span is the time of a run that is judged.
type Span struct {
	From, To time.Time     // evaluation times
	Delay    time.Duration // how far those lie behind the clock
	Late     []Lag
	// Excused are windows of the clock: what was to be evaluated then is not judged.
	Excused []Window
}

// excuses reports whether an evaluation time is not judged.
func (s *Span) excuses(at time.Time, interval time.Duration) bool {
	due := at.Add(s.Delay)
	return Blind(s.Excused).Overlaps(due, due.Add(2*interval))
}

// lag returns how late the data of an evaluation time may have been when it was
// first asked for.
func (s *Span) lag(at time.Time, interval time.Duration) time.Duration {
	asked := at.Add(s.Delay)
	return lag(s.Late, asked, asked.Add(2*interval))
}

// CheckRecords compares the stored series of recording rules with the world.
func CheckRecords(w *world.World, span Span, stored []witness.Series) Records {
	c := recordCheck{world: w, span: span, stored: map[string]witness.Series{}}
	for _, s := range stored {
		c.stored[s.Labels["__name__"]+"/"+s.Labels[world.SeriesLabel]] = s
	}
	for i := range w.Groups {
		g := &w.Groups[i]
		for _, rule := range g.Records {
			for series := range w.Series {
				c.series(g, rule, series)
			}
		}
	}
	slices.SortFunc(c.Holes, time.Time.Compare)
	return c.Records
}

type recordCheck struct {
	Records
	world  *world.World
	span   Span
	stored map[string]witness.Series
	told   string // the series of the last example
}

// series judges one series of a rule.
func (c *recordCheck) series(g *world.Group, rule string, series int) {
	got := map[int64][]float64{}
	s := c.stored[rule+"/"+strconv.Itoa(series)]
	for i, t := range s.Times {
		got[t] = append(got[t], s.Values[i])
	}
	who := fmt.Sprintf("%s{series=\"%d\"}", rule, series)
	for _, at := range g.Times(c.span.From, c.span.To) {
		if !c.span.excuses(at, g.Interval) {
			c.sample(who, at, got[at.UnixMilli()], c.allowed(g, rule, series, at))
		}
		delete(got, at.UnixMilli())
	}
	for _, ms := range slices.Sorted(maps.Keys(got)) {
		at := time.UnixMilli(ms)
		if at.Before(c.span.From) || at.After(c.span.To) {
			continue
		}
		if math.IsNaN(got[ms][0]) && c.mayEnd(g, rule, series, at) {
			continue
		}
		c.Strange++
		c.hole(who, at, "%v, at a time that is none of evaluation", got[ms])
	}
}

// sample judges what is stored at one evaluation time.
func (c *recordCheck) sample(who string, at time.Time, got []float64, want allowed) {
	values := slices.DeleteFunc(slices.Clone(got), math.IsNaN)
	if want.exact {
		c.Expected++
	}
	switch {
	case len(values) == 0 && want.absent:
	case len(values) == 0:
		c.Missing++
		c.hole(who, at, "missing")
	case len(want.values) == 0:
		c.Strange++
		c.hole(who, at, "%v, where there is no data", values)
	case !slices.Contains(want.values, values[0]) || !alike(values):
		c.Wrong++
		c.hole(who, at, "%v, not %v", values, want.values)
	case len(values) < len(got):
		c.Wrong++
		c.hole(who, at, "%v, and an end as well", values)
	case len(values) > 1:
		c.Twice++
	}
}

// allowed is what may be stored at an evaluation time.
type allowed struct {
	exact  bool      // the data of that very time has a value
	values []float64 // that value and, if data was late, those before
	absent bool
}

func (c *recordCheck) allowed(g *world.Group, rule string, series int, at time.Time) allowed {
	var a allowed
	back := c.span.lag(at, g.Interval)
	for t := at; !t.Before(at.Add(-back)); t = t.Add(-time.Second) {
		v, ok := c.world.Value(rule, series, t)
		if ok {
			a.values = append(a.values, v)
			a.exact = a.exact || t.Equal(at)
		} else {
			a.absent = true
		}
	}
	return a
}

// mayEnd reports whether the data has a gap about a time, so that a stale marker
// beside an evaluation time says nothing wrong.
func (c *recordCheck) mayEnd(g *world.Group, rule string, series int, at time.Time) bool {
	for t := at.Truncate(g.Interval).Add(-g.Interval); !t.After(at.Add(g.Interval)); t = t.Add(g.Interval) {
		if _, ok := c.world.Value(rule, series, t); !ok {
			return true
		}
	}
	return false
}

// hole notes a time at which something is wrong, and of each series the first in
// words.
func (c *recordCheck) hole(who string, at time.Time, format string, args ...any) {
	c.Holes = append(c.Holes, at)
	if who != c.told && len(c.Examples) < maxExamples {
		c.told = who
		c.Examples = append(c.Examples, fmt.Sprintf("%s at %s: ", who, clock(at))+fmt.Sprintf(format, args...))
	}
}

// alike reports whether all values are the same.
func alike(values []float64) bool {
	return !slices.ContainsFunc(values, func(v float64) bool { return v != values[0] })
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05.000") }
