package relabel

import (
	"slices"
	"strings"
	"unsafe"

	"github.com/prometheus/prometheus/model/labels"
)

// work is the labels between rules. Unlike a labels.Labels it may hold labels
// without a value or a name, which are left out in the end, and after labelmap_all
// a name twice.
type work struct {
	list    []labels.Label
	touched bool // list is not what it was, empty values aside

	source  []byte         // what join returned last
	before  []labels.Label // room for a copy of list
	builder labels.ScratchBuilder
}

func (w *work) begin(in labels.Labels) {
	w.touched = false
	in.Range(func(l labels.Label) {
		w.list = append(w.list, l)
		w.touched = w.touched || l.Value == ""
	})
}

// end lets go of the texts, which belong to others.
func (w *work) end() {
	clear(w.list)
	w.list = w.list[:0]
}

// get returns the value of name, "" without one.
func (w *work) get(name string) string {
	if i := w.index(name); i >= 0 {
		return w.list[i].Value
	}
	return ""
}

// index returns where name is first, -1 if it is not there.
func (w *work) index(name string) int {
	for i := range w.list {
		if w.list[i].Name == name {
			return i
		}
	}
	return -1
}

// set gives name a value. The texts are kept.
func (w *work) set(name, value string) {
	i := w.index(name)
	if i < 0 {
		w.list = append(w.list, labels.Label{Name: name, Value: value})
		w.touched = w.touched || value != "" && name != ""
		return
	}
	if w.list[i].Value != value {
		w.list[i].Value = value
		w.touched = true
	}
}

// drop removes the labels that f reports.
func (w *work) drop(f func(labels.Label) bool) {
	before := len(w.list)
	w.list = slices.DeleteFunc(w.list, f)
	w.touched = w.touched || len(w.list) < before
}

// join returns the values of names with separator between them. Of several names
// it is good until the next call only: what is kept of it must be cloned.
func (w *work) join(names []string, separator string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return w.get(names[0])
	}
	w.source = w.source[:0]
	for i, name := range names {
		if i > 0 {
			w.source = append(w.source, separator...)
		}
		w.source = append(w.source, w.get(name)...)
	}
	// A copy would be the only allocation of most rules, which just look at it.
	return unsafe.String(unsafe.SliceData(w.source), len(w.source))
}

// setJoined gives name the value that join returned.
func (w *work) setJoined(name, value string) {
	if w.get(name) != value {
		value = strings.Clone(value)
	}
	w.set(name, value)
}

// result returns the labels as they are now: in, if nothing has changed.
func (w *work) result(in labels.Labels) labels.Labels {
	if !w.touched {
		return in
	}
	w.list = slices.DeleteFunc(w.list, func(l labels.Label) bool { return l.Name == "" || l.Value == "" })
	slices.SortStableFunc(w.list, func(a, b labels.Label) int { return strings.Compare(a.Name, b.Name) })
	w.builder.Reset()
	for i, l := range w.list {
		// Of labels that were given the same name the last one stays: in JSON, as
		// Alertmanager reads it, it would win.
		if i+1 == len(w.list) || w.list[i+1].Name != l.Name {
			w.builder.Add(l.Name, l.Value)
		}
	}
	return w.builder.Labels()
}
