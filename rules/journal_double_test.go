package rules_test

import (
	"context"
	"sync"

	"tocsin/config"
	"tocsin/rules"
)

// journal remembers records, and hands them on as a journal does once they are on
// disk.
type journal struct {
	handOn func(rules.Record) // nil: nobody is told

	mu      sync.Mutex // guards the fields below
	records []rules.Record
	err     error
	hook    func(context.Context, rules.Record) error
	onFlush func(context.Context) error
	flushes int
	dead    bool
}

var _ rules.Journal = (*journal)(nil)

// Keep implements rules.Journal.
func (j *journal) Keep(ctx context.Context, r rules.Record) error {
	j.mu.Lock()
	hook := j.hook
	j.mu.Unlock()
	if hook != nil {
		if err := hook(ctx, r); err != nil {
			return err
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.dead:
		return nil
	case j.err != nil:
		return j.err
	}
	j.records = append(j.records, r)
	if j.handOn != nil {
		j.handOn(r)
	}
	return nil
}

// Flush implements rules.Journal.
func (j *journal) Flush(ctx context.Context) error {
	j.mu.Lock()
	j.flushes++
	f := j.onFlush
	j.mu.Unlock()
	if f == nil {
		return nil
	}
	return f(ctx)
}

// fail makes Keep return err, or accept again if err is nil.
func (j *journal) fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.err = err
}

// onKeep has f called at the beginning of Keep; it may block, and its error is
// Keep's.
func (j *journal) onKeep(f func(context.Context, rules.Record) error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.hook = f
}

// kept returns the records so far.
func (j *journal) kept() []rules.Record {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]rules.Record(nil), j.records...)
}

// clear forgets the records so far, and returns them.
func (j *journal) clear() []rules.Record {
	j.mu.Lock()
	defer j.mu.Unlock()
	records := j.records
	j.records = nil
	return records
}

// states returns what is on disk after records, in order of the first commit.
func states(records []rules.Record) []rules.GroupState {
	var keys []config.Key
	data := map[config.Key][]byte{}
	for _, r := range records {
		for _, s := range r.States {
			if _, known := data[s.Group]; !known {
				keys = append(keys, s.Group)
			}
			data[s.Group] = s.Data
		}
	}
	var all []rules.GroupState
	for _, k := range keys {
		if data[k] != nil {
			all = append(all, rules.GroupState{Group: k, Data: data[k]})
		}
	}
	return all
}

// journaled gives the world a journal that tells w.notifier and w.appender.
func (w *world) journaled() *journal {
	j := &journal{}
	j.handOn = func(r rules.Record) {
		for _, n := range r.Told {
			_ = w.notifier.Notify(n)
		}
		_ = w.appender.Append(context.Background(), r.Series)
	}
	w.deps.Journal = j
	return j
}

// crash ends the process: nothing that is under way leaves anything. What was
// recorded before is there when groups are applied again.
func (w *world) crash(j *journal) {
	w.t.Helper()
	j.mu.Lock()
	j.dead = true
	j.mu.Unlock()
	w.manager.CutShort()
	w.close()
	j.mu.Lock()
	j.dead = false
	j.mu.Unlock()
	w.recover(j.kept())
}

// recover begins a new process with what is on disk after records.
func (w *world) recover(records []rules.Record) {
	w.t.Helper()
	w.manager = rules.NewManager()
	if err := w.manager.Recover(states(records)); err != nil {
		w.t.Fatal(err)
	}
}
