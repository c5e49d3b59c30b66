package rules

import (
	"reflect"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
)

// A pointer in Memory could tie a retired group to its successor.
func TestMemoryHoldsValuesOnly(t *testing.T) {
	var walk func(path string, typ reflect.Type, visited map[reflect.Type]bool)
	walk = func(path string, typ reflect.Type, visited map[reflect.Type]bool) {
		if visited[typ] {
			return
		}
		visited[typ] = true
		if typ == reflect.TypeFor[*RuleMemory]() || typ == reflect.TypeFor[*told]() {
			typ = typ.Elem() // never changed, so as good as a value
		}
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

// Each rule has a memory at rest, and a new one after each round: 64 bytes are what
// the allocator gives for 64.
func TestMemoryOfARuleAtRestIsSmall(t *testing.T) {
	if size := reflect.TypeFor[RuleMemory]().Size(); size > 64 {
		t.Errorf("a rule that has nothing to tell takes %d bytes", size)
	}
}
