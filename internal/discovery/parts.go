package discovery

import (
	"errors"
	"slices"
	"sync"

	"github.com/prometheus/prometheus/model/labels"
)

// view is what a source knows at one moment.
type view struct {
	targets []labels.Labels
	tried   bool  // everything has been looked up
	known   bool  // with success
	err     error // what fails now
}

// parts is what is known of the parts of a block that are looked up each on its
// own, such as the names of a DNS block: one that fails takes nothing from the
// others, and keeps what was found before. It may be used from many goroutines.
type parts struct {
	mu     sync.Mutex // guards the fields below
	order  []string
	byName map[string]*part
}

type part struct {
	targets []labels.Labels
	known   bool // looked up with success at least once
	err     error
}

func newParts(names ...string) *parts {
	p := &parts{byName: make(map[string]*part)}
	p.keep(names)
	return p
}

// keep makes names all the parts there are, in this order. What is known of others
// is forgotten.
func (p *parts) keep(names []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := make(map[string]*part, len(names))
	for _, name := range names {
		next[name] = p.byName[name]
		if next[name] == nil {
			next[name] = &part{}
		}
	}
	p.order, p.byName = slices.Clone(names), next
}

// set notes the outcome of a look-up. With an error, what was found before stays.
func (p *parts) set(name string, targets []labels.Labels, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x := p.byName[name]
	switch {
	case x == nil: // gone meanwhile
	case err != nil:
		x.err = err
	default:
		*x = part{targets: targets, known: true}
	}
}

// view returns what is known of all parts together.
func (p *parts) view() view {
	p.mu.Lock()
	defer p.mu.Unlock()
	v := view{tried: true, known: true}
	var errs []error
	for _, name := range p.order {
		x := p.byName[name]
		v.targets = append(v.targets, x.targets...)
		v.tried = v.tried && (x.known || x.err != nil)
		v.known = v.known && x.known
		errs = append(errs, x.err)
	}
	v.err = errors.Join(errs...)
	return v
}

func equal(a, b []labels.Labels) bool {
	return slices.EqualFunc(a, b, labels.Equal)
}

// names returns the names of the parts, in order.
func (p *parts) names() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.order
}
