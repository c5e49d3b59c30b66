package demo

import (
	"sync"

	"tocsin/cmd/tocsin-tool/internal/receiver"
)

// proof watches for an alert that fires and is resolved. A Receiver tells of a
// resolved alert only if it told of it firing, so that suffices.
type proof struct {
	tell func() // called once; may be nil

	mu   sync.Mutex // guards seen
	seen bool
}

func newProof(tell func()) *proof { return &proof{tell: tell} }

func (p *proof) note(c receiver.Change) {
	if !c.Resolved {
		return
	}
	p.mu.Lock()
	first := !p.seen
	p.seen = true
	p.mu.Unlock()
	if first && p.tell != nil {
		p.tell()
	}
}

func (p *proof) proved() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}
