package main

import (
	"context"
	"slices"
	"time"

	"tocsin/internal/faults/plan"
	"tocsin/internal/faults/verdict"
	"tocsin/internal/faults/witness"
	"tocsin/internal/faults/world"
)

// outcome is what came of one trial.
type outcome struct {
	daemon  string
	tried   []tried
	untried []string
	stalls  []verdict.Window

	records    verdict.Records
	history    verdict.History
	holesCount bool            // holes in history are losses
	pages      []verdict.Pages // in the order of alertmanagers
	queries    [2]int64        // instant and range

	course
}

// course is what became of the daemon itself.
type course struct {
	lives    int
	troubles []string // what it did of itself: ends, refusals to stop
	memory   int64    // highest seen, in bytes
	tooMuch  bool     // more memory than allowed
	counters []witness.Counter
}

// tried is one sort of fault and what it may have cost.
type tried struct {
	name    string
	times   int
	total   time.Duration
	longest time.Duration
	holes   int // samples missing or wrong about that time
}

// lost returns how many things were not as they should be.
func (o *outcome) lost() int {
	n := o.records.Lost() + len(o.troubles)
	for i := range o.pages {
		n += o.pages[i].Lost()
	}
	if o.holesCount {
		n += o.history.Lost()
	}
	if o.tooMuch {
		n++
	}
	return n
}

// judge compares what is seen now with what the world demands.
func (t *trial) judge(ctx context.Context, now time.Time) (*outcome, error) {
	from, to := t.stage.world.Start.Add(-time.Minute), now.Add(time.Minute)
	recorded, err := t.stage.storage.Export(ctx, `{__name__=~"`+world.RecordPattern+`"}`, from, to)
	if err != nil {
		return nil, err
	}
	alerts, err := t.stage.storage.Export(ctx, `{__name__="ALERTS"}`, from, to)
	if err != nil {
		return nil, err
	}
	o, past := t.options, t.conductor.happened()
	out := &outcome{
		daemon: t.keeper.command.Name, untried: t.untried, stalls: t.stalls.seen(), holesCount: o.history,
		queries: [2]int64{t.stage.source.Instant.Load(), t.stage.source.Range.Load()},
	}
	out.course = t.keeper.course()
	out.tooMuch = out.memory > o.maxMemory
	span := t.span(past)
	out.records = verdict.CheckRecords(t.stage.world, span, recorded)
	out.history = verdict.CheckHistory(t.stage.world, span, alerts)
	firings := t.stage.world.Firings()
	for _, target := range alertmanagers {
		check := t.pageCheck(span, past, target, now)
		out.pages = append(out.pages, check.Check(firings, t.stage.notes[target].Posts()))
	}
	out.tried = tally(past, out.records.Holes)
	return out, nil
}

// span returns the evaluation times that are judged: those from when the daemon
// first ran until all alerts are over, some time after the faults.
func (t *trial) span(past []happened) verdict.Span {
	slowest := 2 * t.options.world.Interval
	s := verdict.Span{From: t.keeper.since().Add(slowest - evalDelay), To: t.stage.world.End(), Delay: evalDelay}
	for _, h := range past {
		if h.Kind == plan.Late {
			s.Late = append(s.Late, verdict.Lag{Window: h.Window, By: h.Amount})
		}
	}
	if t.options.lenient {
		s.Excused = t.stalls.seen()
	}
	return s
}

// pageCheck returns the circumstances in which an Alertmanager was told.
func (t *trial) pageCheck(span verdict.Span, past []happened, am plan.Target, now time.Time) *verdict.PageCheck {
	o, always := t.options, verdict.Merge(t.keeper.windows(now), t.stalls.seen())
	c := &verdict.PageCheck{
		Span: span, End: now, Horizon: now.Add(time.Hour),
		EvaluateWithin: o.within.evaluate, DeliverWithin: o.within.deliver,
	}
	c.Evaluate = verdict.Merge(always, windowsOf(past, func(h *happened) bool { return h.Target == plan.Datasource }))
	// An Alertmanager that answers 400 has taken what it could.
	c.Deliver = verdict.Merge(always, windowsOf(past, func(h *happened) bool { return h.Target == am && h.Kind != plan.BadRequest }))
	return c
}

func windowsOf(past []happened, those func(h *happened) bool) []verdict.Window {
	var all []verdict.Window
	for i := range past {
		if those(&past[i]) {
			all = append(all, past[i].Window)
		}
	}
	return all
}

// tally sums up faults by their sort, in the order of targets and kinds. A sample
// is counted at each fault that was there when it was to be evaluated.
func tally(past []happened, holes []time.Time) []tried {
	var all []tried
	for _, target := range plan.Targets {
		for _, kind := range plan.Kinds(target) {
			s := tried{}
			for _, h := range past {
				if h.Target != target || h.Kind != kind {
					continue
				}
				length := max(h.Length, h.To.Sub(h.From))
				s.name = h.Name()
				s.times++
				s.total += length
				s.longest = max(s.longest, length)
				s.holes += within(holes, h.From.Add(-3*time.Second), h.From.Add(length+time.Second))
			}
			if s.times > 0 {
				all = append(all, s)
			}
		}
	}
	return all
}

// within returns how many of the times, which are in order, are in [from, to].
func within(times []time.Time, from, to time.Time) int {
	first, _ := slices.BinarySearchFunc(times, from, time.Time.Compare)
	end, _ := slices.BinarySearchFunc(times, to, time.Time.Compare)
	return end - first
}

// course returns what became of the daemon so far.
func (k *keeper) course() course {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := k.seen
	c.troubles, c.counters = slices.Clone(c.troubles), k.counters.Losses()
	return c
}

// since returns when the daemon was first ready; now, if it never was.
func (k *keeper) since() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.first.IsZero() {
		return time.Now()
	}
	return k.first
}

// windows returns when the daemon was not ready.
func (k *keeper) windows(now time.Time) []verdict.Window {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := slices.Clone(k.downs)
	if !k.up {
		all = append(all, verdict.Window{From: k.downSince, To: now})
	}
	return all
}
