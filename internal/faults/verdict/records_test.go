package verdict

import (
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tocsin/internal/faults/witness"
	"tocsin/internal/faults/world"
)

func smallWorld() *world.World {
	return world.New(world.Options{
		Seed: 1, Start: epoch, Duration: time.Minute, Interval: time.Second, Pairs: 1, PerGroup: 1, Series: 2,
		Steady: 20 * time.Second, For: 5 * time.Second,
	})
}

const rule = "faults:r0_0"

// perfect is storage in which everything is as the world demands, stale markers
// included.
func perfect(w *world.World, span Span) []witness.Series {
	var all []witness.Series
	for i := range w.Series {
		s := witness.Series{Labels: map[string]string{"__name__": rule, world.SeriesLabel: strconv.Itoa(i)}}
		present := false
		for t := span.From; !t.After(span.To); t = t.Add(time.Second) {
			v, ok := w.Value(rule, i, t)
			if !ok && present {
				v = math.NaN()
			}
			if ok || present {
				s.Times, s.Values = append(s.Times, t.UnixMilli()), append(s.Values, v)
			}
			present = ok
		}
		all = append(all, s)
	}
	return all
}

var minute = Span{From: at(0), To: at(59), Delay: time.Second}

// verdictOn returns the verdict on perfect storage with what damage does to the
// first series, without the words.
func verdictOn(span Span, damage func(s *witness.Series)) Records {
	w := smallWorld()
	stored := perfect(w, minute)
	damage(&stored[0])
	return CheckRecords(w, span, stored)
}

var inNumbers = cmpopts.IgnoreFields(Records{}, "Examples", "Expected", "Holes")

func TestNothingIsLostInPerfectStorage(t *testing.T) {
	got := verdictOn(minute, func(*witness.Series) {})
	if got.Lost() != 0 || got.Expected < 80 || len(got.Examples) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestDamageIsFound(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(s *witness.Series)
		want   Records
	}{
		{"a hole", func(s *witness.Series) {
			s.Times, s.Values = slices.Delete(s.Times, 7, 9), slices.Delete(s.Values, 7, 9)
		}, Records{Missing: 2}},
		{"no series", func(s *witness.Series) { s.Labels = map[string]string{"__name__": "other"} }, Records{Missing: 60}},
		{"a wrong value", func(s *witness.Series) { s.Values[7]++ }, Records{Wrong: 1}},
		{"the value of the second before", func(s *witness.Series) { s.Values[7] = s.Values[6] }, Records{Wrong: 1}},
		{"an end instead of a value", func(s *witness.Series) { s.Values[7] = math.NaN() }, Records{Missing: 1}},
		{"an end beside a value", func(s *witness.Series) {
			s.Times, s.Values = append(s.Times, s.Times[7]), append(s.Values, math.NaN())
		}, Records{Wrong: 1}},
		{"a time that is none", func(s *witness.Series) {
			s.Times, s.Values = append(s.Times, s.Times[7]+300), append(s.Values, s.Values[7])
		}, Records{Strange: 1}},
		{"an end between values", func(s *witness.Series) {
			s.Times, s.Values = append(s.Times, s.Times[7]+1), append(s.Values, math.NaN())
		}, Records{Strange: 1}},
		{"the same twice", func(s *witness.Series) {
			s.Times, s.Values = append(s.Times, s.Times[7]), append(s.Values, s.Values[7])
		}, Records{Twice: 1}},
		{"not the same twice", func(s *witness.Series) {
			s.Times, s.Values = append(s.Times, s.Times[7]), append(s.Values, s.Values[7]+1)
		}, Records{Wrong: 1}},
	} {
		got := verdictOn(minute, c.damage)
		if diff := cmp.Diff(c.want, got, inNumbers); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if lost := got.Lost(); len(got.Holes) != lost || lost > 0 != (len(got.Examples) > 0) {
			t.Errorf("%s: lost %d, but %d holes and %d examples", c.name, lost, len(got.Holes), len(got.Examples))
		}
	}
}

func TestValueWhereThereIsNoneIsUnfounded(t *testing.T) {
	w := smallWorld()
	stored := perfect(w, minute)
	for i, v := range stored[1].Values {
		if math.IsNaN(v) {
			stored[1].Values[i] = 5
			break
		}
	}
	if got := CheckRecords(w, minute, stored); got.Strange != 1 || got.Lost() != 1 {
		t.Errorf("%+v", got)
	}
}

// TestLateDataExcusesOldValues stores the value of two seconds before.
func TestLateDataExcusesOldValues(t *testing.T) {
	span := minute
	span.Late = []Lag{{window(7, 9), 2 * time.Second}}
	old := func(s *witness.Series) { s.Values[7] = s.Values[5] }
	if got := verdictOn(span, old); got.Lost() != 0 {
		t.Errorf("late by as much: %v", got.Examples)
	}
	if got := verdictOn(span, func(s *witness.Series) { s.Values[7] = s.Values[4] }); got.Wrong != 1 {
		t.Errorf("a value that is older than late data can be: %+v", got)
	}
	if got := verdictOn(span, func(s *witness.Series) { s.Times[7] = 0 }); got.Missing != 1 {
		t.Errorf("no value although data was only late: %+v", got)
	}
	span.Late[0].Window = window(20, 30)
	if got := verdictOn(span, old); got.Wrong != 1 {
		t.Errorf("data was late at another time: %+v", got)
	}
}

func TestExcusedTimesAreNotJudged(t *testing.T) {
	span := minute
	span.Excused = []Window{window(8.5, 8.9)}
	hole := func(s *witness.Series) { s.Times[7] = 0 }
	if got := verdictOn(span, hole); got.Lost() != 0 {
		t.Errorf("excused: %v", got.Examples)
	}
	if got := verdictOn(span, func(s *witness.Series) { s.Times[20] = 0 }); got.Missing != 1 {
		t.Errorf("not excused: %+v", got)
	}
}

func TestOnlyTheSpanIsJudged(t *testing.T) {
	span := Span{From: at(10), To: at(50), Delay: time.Second}
	got := verdictOn(span, func(s *witness.Series) { s.Times[9], s.Times[51] = 0, 1 })
	if got.Lost() != 0 {
		t.Errorf("holes beside the span: %v", got.Examples)
	}
	if got := verdictOn(span, func(s *witness.Series) { s.Times[10], s.Times[50] = 0, 1 }); got.Missing != 2 {
		t.Errorf("holes at its ends: %+v", got)
	}
}

// perfectHistory is ALERTS as the world demands.
func perfectHistory(w *world.World) []witness.Series {
	var all []witness.Series
	for _, f := range w.Firings() {
		for t := f.Active; t.Before(f.Resolves); t = t.Add(f.Interval) {
			state := "pending"
			if !t.Before(f.Fires) {
				state = "firing"
			}
			all = append(all, witness.Series{
				Labels: map[string]string{
					"__name__": "ALERTS", "alertname": f.Alert, "alertstate": state,
					world.InstanceLabel: strconv.Itoa(f.Instance),
				},
				Times: []int64{t.UnixMilli()}, Values: []float64{1},
			})
		}
	}
	return all
}

func TestHolesInHistoryAreFound(t *testing.T) {
	w := smallWorld()
	span := Span{From: at(0), To: w.End(), Delay: time.Second}
	if got := CheckHistory(w, span, perfectHistory(w)); got.Lost() != 0 || got.Expected < 40 {
		t.Fatalf("perfect history: %+v", got)
	}
	for _, c := range []struct {
		name   string
		damage func(s *witness.Series)
		want   History
	}{
		{"a sample is missing", func(s *witness.Series) { s.Times = nil }, History{Missing: 1}},
		{"it is a stale marker", func(s *witness.Series) { s.Values[0] = math.NaN() }, History{Missing: 1}},
		{"it has another state", func(s *witness.Series) { s.Labels["alertstate"] = "firing" }, History{Wrong: 1}},
	} {
		stored := perfectHistory(w)
		c.damage(&stored[0])
		got := CheckHistory(w, span, stored)
		if diff := cmp.Diff(c.want, got, cmpopts.IgnoreFields(History{}, "Examples", "Expected")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
