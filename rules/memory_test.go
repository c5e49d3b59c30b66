package rules

import (
	"reflect"
	"testing"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
)

// A pointer in Memory could tie a retired group to its successor.
func TestMemoryHoldsValuesOnly(t *testing.T) {
	var walk func(path string, typ reflect.Type, visited map[reflect.Type]bool)
	walk = func(path string, typ reflect.Type, visited map[reflect.Type]bool) {
		if visited[typ] {
			return
		}
		visited[typ] = true
		switch typ.Kind() {
		case reflect.Pointer, reflect.Func, reflect.Chan, reflect.Interface, reflect.UnsafePointer:
			t.Errorf("%s is a %s", path, typ.Kind())
		case reflect.Struct:
			for f := range typ.Fields() {
				walk(path+"."+f.Name, f.Type, visited)
			}
		case reflect.Map:
			walk(path+" key", typ.Key(), visited)
			walk(path+" value", typ.Elem(), visited)
		case reflect.Slice, reflect.Array:
			walk(path+"[]", typ.Elem(), visited)
		}
	}
	walk("Memory", reflect.TypeFor[Memory](), map[reflect.Type]bool{})
}

func rulesNamed(names ...string) []config.Rule {
	rs := make([]config.Rule, len(names))
	for i, n := range names {
		rs[i] = config.Rule{Kind: config.Alerting, Name: n}
	}
	return rs
}

// mark makes a memory that can be told from others by its count of errors.
func mark(ids []RuleID) Memory {
	m := Memory{rules: map[RuleID]ruleMemory{}}
	for i, id := range ids {
		m.rules[id] = ruleMemory{errors: uint64(i + 1)}
	}
	return m
}

func TestAdoptionFollowsNameAndOrder(t *testing.T) {
	labelled := func(name, team string) config.Rule {
		return config.Rule{Kind: config.Alerting, Name: name, Labels: []config.Pair{{Name: "team", Value: team}}}
	}
	for _, c := range []struct {
		name     string
		old, new []config.Rule
		want     []uint64 // whose memory each new rule has; 0 is none
		gone     int
	}{
		{"reordered", rulesNamed("a", "b", "c"), rulesNamed("c", "a", "b"), []uint64{3, 1, 2}, 0},
		{"equal rules keep their order", rulesNamed("a", "a", "b"), rulesNamed("b", "a", "a"), []uint64{3, 1, 2}, 0},
		{"one of two equal rules removed", rulesNamed("a", "a"), rulesNamed("a"), []uint64{1}, 1},
		{"added in front", rulesNamed("a"), rulesNamed("x", "a"), []uint64{0, 1}, 0},
		{"renamed", rulesNamed("a"), rulesNamed("b"), []uint64{0}, 1},
		{"labels edited", []config.Rule{labelled("a", "x")}, []config.Rule{labelled("a", "y")}, []uint64{1}, 0},
		{
			"labels of one of two edited",
			[]config.Rule{labelled("a", "x"), labelled("a", "y")},
			[]config.Rule{labelled("a", "z"), labelled("a", "y")},
			[]uint64{1, 2}, 0,
		},
		{"kind changed", rulesNamed("a"), []config.Rule{{Kind: config.Recording, Name: "a"}}, []uint64{0}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			ids := ruleIDs(c.new)
			kept, gone := mark(ruleIDs(c.old)).adoptedBy(ids)
			for i, id := range ids {
				if got := kept.rules[id].errors; got != c.want[i] {
					t.Errorf("rule %d has the memory of %d, want %d", i, got, c.want[i])
				}
			}
			if len(gone) != c.gone {
				t.Errorf("%d rules gone, want %d", len(gone), c.gone)
			}
		})
	}
}

func TestSeriesLabelsAreSortedAndOverridden(t *testing.T) {
	l := labels.FromStrings("A", "upper", "alertstate", "mine", "zone", "z")
	series := alertSeries(l, Firing)
	want := labels.FromStrings("A", "upper", "__name__", "ALERTS", "alertstate", "firing", "zone", "z")
	if got := series.Full(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	series = clockSeries(labels.EmptyLabels())
	if got, want := series.Full(), labels.FromStrings("__name__", "ALERTS_FOR_STATE"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	series = Series{Labels: l}
	if got := series.Full(); got != l {
		t.Errorf("got %s, want %s", got, l)
	}
}
