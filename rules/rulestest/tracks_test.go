package rulestest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

var compareLabels = cmp.Comparer(func(a, b labels.Labels) bool { return labels.Equal(a, b) })

// minute is the time n minutes after the epoch.
func minute(n int64) time.Time { return time.Unix(60*n, 0) }

func minutes(expr string, from, to int64) rules.RangeQuery {
	return rules.RangeQuery{Query: rules.Query{Expr: expr}, From: minute(from), To: minute(to), Step: time.Minute}
}

func equal[T any](t *testing.T, got, want T) {
	t.Helper()
	if d := cmp.Diff(want, got, compareLabels); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// oddAndAll has one series at each time and another at odd minutes only.
func oddAndAll(at time.Time) []rules.Sample {
	n := at.Unix() / 60
	all := []rules.Sample{Sample(float64(n), "a", "1")}
	if n%2 == 1 {
		all = append(all, Sample(-float64(n), "b", "2"))
	}
	return all
}

func track(name, value string, points ...rules.Point) rules.Track {
	return rules.Track{Labels: labels.FromStrings(name, value), Points: points}
}

func TestATrackIsAFunctionOfTime(t *testing.T) {
	var d Datasource
	d.SetTrack("x", oddAndAll)
	got, err := d.QueryRange(t.Context(), minutes("x", 2, 4))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, []rules.Track{
		track("a", "1", rules.Point{T: 120_000, V: 2}, rules.Point{T: 180_000, V: 3}, rules.Point{T: 240_000, V: 4}),
		track("b", "2", rules.Point{T: 180_000, V: -3}),
	})
	now, err := d.Query(t.Context(), rules.Query{Expr: "x", Time: minute(3)})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, now.Samples, []rules.Sample{
		{Labels: labels.FromStrings("a", "1"), T: 180_000, V: 3}, {Labels: labels.FromStrings("b", "2"), T: 180_000, V: -3}})
}

func TestWhatIsSetIsAnsweredAtEachTime(t *testing.T) {
	var d Datasource
	d.Set("x", Sample(7, "a", "1"))
	got, err := d.QueryRange(t.Context(), minutes("x", 1, 2))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, []rules.Track{track("a", "1", rules.Point{T: 60_000, V: 7}, rules.Point{T: 120_000, V: 7})})
	if got, err := d.QueryRange(t.Context(), minutes("y", 1, 2)); len(got) != 0 || err != nil {
		t.Errorf("an expression nobody set: %v, %v", got, err)
	}
}

func TestALabelSetThatComesTwiceIsTwoTracks(t *testing.T) {
	var d Datasource
	d.Set("x", Sample(1, "a", "1"), Sample(2, "a", "1"))
	got, err := d.QueryRange(t.Context(), minutes("x", 1, 2))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, []rules.Track{
		track("a", "1", rules.Point{T: 60_000, V: 1}, rules.Point{T: 120_000, V: 1}),
		track("a", "1", rules.Point{T: 60_000, V: 2}, rules.Point{T: 120_000, V: 2}),
	})
}

func TestRangeQueriesFailAsInstantQueriesDo(t *testing.T) {
	broken, hooked := errors.New("broken"), errors.New("hooked")
	var d Datasource
	d.Fail("x", broken)
	if _, err := d.QueryRange(t.Context(), minutes("x", 1, 2)); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	d.HookRange(func(context.Context, rules.RangeQuery) error { return hooked })
	if _, err := d.QueryRange(t.Context(), minutes("y", 1, 2)); !errors.Is(err, hooked) {
		t.Errorf("got %v", err)
	}
	if _, err := d.Query(t.Context(), rules.Query{Expr: "y"}); err != nil {
		t.Errorf("a hook of range queries keeps an instant query from its answer: %v", err)
	}
	d.Hang()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.QueryRange(ctx, minutes("y", 1, 2)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAskedRangesAreApartFromInstantQueries(t *testing.T) {
	var d Datasource
	if _, err := d.QueryRange(t.Context(), minutes("x", 1, 2)); err != nil {
		t.Fatal(err)
	}
	equal(t, d.AskedRanges(), []rules.RangeQuery{minutes("x", 1, 2)})
	equal(t, len(d.AskedRanges()), 0)
	equal(t, len(d.Asked()), 0)
}
