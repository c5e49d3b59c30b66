package replay

import (
	"context"
	"fmt"

	"tocsin/rules"
)

// resume takes over what the record says.
func (r *run) resume() error {
	if _, interrupted := r.o.Record.Period(); !interrupted {
		return nil
	}
	known := r.o.Record.known.Rules
	if len(known) != len(r.tasks) {
		return fmt.Errorf("%w: it is of %d rules, not %d", ErrBadRecord, len(known), len(r.tasks))
	}
	r.stats.failed.Add(int64(r.o.Record.known.Failed))
	r.stats.skipped.Add(int64(r.o.Record.known.Skipped))
	done, left := 0, 0
	for i, t := range r.tasks {
		switch {
		case known[i].Done:
			t.rule.Skip(t.rule.Left())
			done++
		case known[i].State != nil:
			if err := t.rule.Resume(known[i].State); err != nil {
				return fmt.Errorf("%w: rule %q: %w", ErrBadRecord, t.rule.Rule().Name, err)
			}
		}
		if s := known[i].Last; s != nil {
			r.gate.handed(t.number, []rules.Series{{Labels: s.Labels, T: s.T}})
		}
		left += t.rule.Left().Len()
	}
	r.o.Log.Info("replay goes on where it was interrupted", "rules_done", done, "evaluations_left", left)
	return nil
}

// checkpoints brings the record up to date now and then, until stop is called.
func (r *run) checkpoints() (stop func()) {
	if r.o.Record == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for pause(ctx, checkpointEvery) == nil {
			_ = r.checkpoint(ctx) // an error of storage ends the replay elsewhere, the other is logged
		}
	}()
	return func() { cancel(); <-ended }
}

// checkpoint waits until storage has accepted or refused all that was written so
// far, and then records how far each rule had come.
func (r *run) checkpoint(ctx context.Context) error {
	c := r.progress()
	if err := r.o.Sink.Flush(ctx); err != nil {
		return fmt.Errorf("remote write: %w", err)
	}
	return r.record(c)
}

// progress returns how far each rule has come.
func (r *run) progress() content {
	p := r.o.Period
	c := content{Version: contentVersion, From: p.From, To: p.To, Open: p.Open}
	if r.o.Record == nil {
		return c
	}
	s := r.stats.summary()
	c.Failed, c.Skipped = s.Failed, s.Skipped
	c.Rules = make([]ruleContent, len(r.tasks))
	for i, t := range r.tasks {
		switch left := t.rule.Left().Len(); {
		case left == 0:
			c.Rules[i].Done = true
		case left < t.total:
			c.Rules[i].State = t.rule.State()
		}
		if s := r.gate.latest(t.number); s.T != 0 {
			c.Rules[i].Last = &sampleContent{Labels: s.Full(), T: s.T}
		}
	}
	return c
}

// record replaces the record, if there is one, and says when that begins to fail.
// The replay goes on without.
func (r *run) record(c content) error {
	if r.o.Record == nil {
		return nil
	}
	err := r.o.Record.write(c)
	if failing := err != nil; failing != r.unrecorded.Swap(failing) && failing {
		r.o.Log.Warn("progress is not recorded; an interruption would cost it", "error", err)
	}
	return err
}
