package replay

import (
	"slices"

	"tocsin/config"
	"tocsin/rules"
)

// part is one group of the replay.
type part struct {
	group   *config.Group
	strands []strand
	missed  []missed
}

// strand is rules of a group that follow each other and are replayed without
// regard to others, but for those that they read.
type strand struct {
	tasks []*task
	// inStep: some rule reads what is recorded by itself or one after it, so all of
	// them are evaluated for one time before any is for the next.
	inStep bool
	after  []int // earlier strands of the group that this one reads
}

// task is one rule of the replay.
type task struct {
	number int // counted through all groups
	rule   *rules.Replay
	total  int   // evaluations
	reads  []int // rules, by number, whose series it may read and the replay writes first
	failed bool  // some evaluation of it
}

// missed is that a rule reads what is not written yet when it is replayed.
type missed struct{ reader, writer string }

// plan makes the parts and tasks of the groups.
func (r *run) plan() {
	readings := rules.Readings(r.o.Groups)
	var all []*config.Rule
	for _, g := range r.o.Groups {
		cfg := g.Snapshot().Group
		for i := range cfg.Rules {
			all = append(all, &cfg.Rules[i])
		}
	}
	for _, g := range r.o.Groups {
		to := r.o.Period.To
		if r.o.Period.Open {
			to = to.Add(-g.Lag())
		}
		r.parts = append(r.parts, r.part(g, g.Times(r.o.Period.From, to), all, readings))
	}
}

// part plans the next group, which is replayed for times.
func (r *run) part(g *rules.Group, times rules.Times, all []*config.Rule, readings [][]int) part {
	p := part{group: g.Snapshot().Group}
	first := len(r.tasks)
	n := len(p.group.Rules)
	last := make([]int, n) // of the strand that begins with a rule
	for i := range n {
		last[i] = i
	}
	for i := range n {
		t := &task{number: first + i, rule: g.Replay(i, times, r.o.Ranges), total: times.Len()}
		for _, j := range readings[t.number] {
			recorded := all[j].Kind == config.Recording
			switch {
			case j < t.number:
				t.reads = append(t.reads, j)
			case recorded && j < first+n:
				t.reads = append(t.reads, j)
				last[i] = max(last[i], j-first)
			default:
				p.missed = append(p.missed, missed{all[t.number].Name, all[j].Name})
			}
		}
		r.tasks = append(r.tasks, t)
	}
	p.weave(r.tasks[first:], last)
	return p
}

// weave makes the strands of tasks, of which the i-th belongs together with those
// up to the one at last[i].
func (p *part) weave(tasks []*task, last []int) {
	of := make(map[int]int, len(tasks)) // strands by the number of a rule
	for i := 0; i < len(tasks); {
		end := last[i]
		for j := i; j <= end; j++ {
			end = max(end, last[j])
		}
		s := strand{tasks: tasks[i : end+1]}
		for _, t := range s.tasks {
			of[t.number] = len(p.strands)
			s.inStep = s.inStep || slices.ContainsFunc(t.reads, func(j int) bool { return j >= t.number })
			for _, j := range t.reads {
				if k, own := of[j]; own && k < len(p.strands) {
					s.after = append(s.after, k)
				}
			}
		}
		p.strands = append(p.strands, s)
		i = end + 1
	}
}

// warn says once of the group what makes it slow or lets its rules miss something.
func (p *part) warn(r *run) {
	log := r.o.Log.With("group", p.group.Key.Name, "file", p.group.Key.File)
	for _, s := range p.strands {
		if s.inStep {
			log.Warn("rules read what is recorded by themselves or after them, so they are replayed one evaluation at a time",
				"from", s.tasks[0].rule.Rule().Name, "to", s.tasks[len(s.tasks)-1].rule.Rule().Name,
				"least_duration", r.o.Delay*timesOf(s.tasks))
		}
	}
	if len(p.missed) > 0 {
		log.Warn("rules read what is written by themselves or after them, which the replay does not show them",
			"rules", len(p.missed), "reader", p.missed[0].reader, "writer", p.missed[0].writer)
	}
}
