package rules

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"tocsin/config"
)

// Manager runs the groups of the configuration in force.
type Manager struct {
	// life ends when what is still under way is to be cut short.
	life context.Context
	end  context.CancelCauseFunc

	applying sync.Mutex // held by Apply and Close; guards the fields below
	running  []*running // in configuration order
	dormant  []recovered
	closed   bool

	shown atomic.Pointer[[]*Group] // the groups in force, for readers
}

// NewManager returns a Manager without groups.
func NewManager() *Manager {
	m := new(Manager)
	m.life, m.end = context.WithCancelCause(context.Background())
	m.shown.Store(new([]*Group))
	return m
}

// ErrClosed is returned by Apply after Close.
var ErrClosed = errors.New("rules manager is closed")

// Plan is a configuration that is to replace the one in force.
type Plan struct {
	Files []PlanFile // in order
	// Incomplete: there may be more files, so groups of others that run go on.
	Incomplete bool
	Deps       *Deps
	// Lenient accepts groups with templates that do not parse.
	Lenient bool
	// AllOrNothing has nothing done if the templates of any group do not parse, or
	// if the plan is Flawed. Otherwise the files of such groups keep what they have.
	AllOrNothing bool
	Flawed       bool // something was found to be wrong before
}

// PlanFile is one rule file of a Plan.
type PlanFile struct {
	Name   string // the File of its groups' keys
	Groups []config.Group
	// Bad: the file cannot be used. Its groups that run, if any, go on untouched.
	Bad bool
}

// running is a group with the goroutine that runs it.
type running struct {
	*Group
	stop   func() // asks the goroutine to end; may be called again
	done   chan struct{}
	memory Memory // of the group after it ended; set before done is closed
	// dormant: it did not run in this process, and of its configuration only what
	// groups and rules are told by is known.
	dormant bool
}

// start runs g, going on from what m remembers. A round that is under way when it is
// stopped is finished if that takes no longer than the deadline of one query; when
// ctx ends it is cut short at once. What is cut short writes, sends and remembers
// nothing.
func start(ctx context.Context, g *Group, m Memory) *running {
	retire := make(chan struct{})
	r := &running{
		Group: g, done: make(chan struct{}),
		stop: sync.OnceFunc(func() { close(retire) }),
	}
	// Whoever looks between now and its first round sees what it goes on from.
	g.show(m)
	// Little is to lie on the stack of a goroutine that does nothing but wait.
	l, interval := newLoop(g, m), m.interval
	go func() {
		defer close(r.done)
		l.run(ctx, retire, l.resume(interval))
		r.end(l)
	}()
	return r
}

// end takes over what the group remembers. Inlined, what it needs would lie on the
// stack of the goroutine all the time.
//
//go:noinline
func (r *running) end(l *loop) {
	l.restoring.stop()
	r.memory = l.memory()
}

// retire stops the group, waits for it and returns its memory.
func (r *running) retire() Memory {
	r.stop()
	<-r.done
	return r.memory
}

// Apply replaces the groups in force by those of p, and says what that came to.
// Groups that do not change go on untouched; what the others remember is handed
// to whatever goes on from them. Everything that can fail comes first. Readers
// see the old groups until all of the new ones run. The only error is ErrClosed.
func (m *Manager) Apply(p Plan) (Change, error) {
	m.applying.Lock()
	defer m.applying.Unlock()
	if m.closed {
		return Change{}, ErrClosed
	}
	sw := m.prepare(p)
	if sw.change.Refused {
		return sw.change, nil
	}
	m.running = sw.carryOut(m.life)
	m.dormant = sw.dormant
	groups := make([]*Group, len(m.running))
	for i, r := range m.running {
		groups[i] = r.Group
	}
	m.shown.Store(&groups)
	return sw.change, nil
}

// Preview returns what Apply would do, and does nothing. The only error is
// ErrClosed.
func (m *Manager) Preview(p Plan) (Change, error) {
	m.applying.Lock()
	defer m.applying.Unlock()
	if m.closed {
		return Change{}, ErrClosed
	}
	return m.prepare(p).change, nil
}

// Groups returns the groups in force, in configuration order, each as its last
// round left it. It takes no lock.
func (m *Manager) Groups() []*Snapshot {
	groups := *m.shown.Load()
	out := make([]*Snapshot, len(groups))
	for i, g := range groups {
		out[i] = g.Snapshot()
	}
	return out
}

// WriteMetrics writes the metrics of all groups and rules in the Prometheus text
// format. A series is written as long as its group is in force.
func (m *Manager) WriteMetrics(w io.Writer) { writeMetrics(w, m.Groups()) }

// CutShort ends the evaluations under way, and with them the life of the
// Manager: nothing is evaluated any more. It waits for nobody, so it helps an
// Apply or a Close that waits for a round.
func (m *Manager) CutShort() { m.end(errCutShort) }

// Close stops all groups and waits for the rounds under way; those that last
// until ctx ends are cut short. The alerts and series of the groups are left as
// they are: a restart will find them.
func (m *Manager) Close(ctx context.Context) error {
	stopCutting := context.AfterFunc(ctx, m.CutShort)
	defer stopCutting()
	m.applying.Lock()
	defer m.applying.Unlock()
	m.closed = true
	for _, r := range m.running {
		r.stop()
	}
	for _, r := range m.running {
		<-r.done
	}
	m.running = nil
	m.CutShort()
	return nil
}
