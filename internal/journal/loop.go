package journal

import (
	"errors"
	"time"

	"tocsin/config"
	"tocsin/internal/journal/store"
	"tocsin/rules"
)

// run commits until the journal is closed and nothing waits.
func (j *Journal) run() {
	held := time.NewTimer(holdFor)
	defer held.Stop()
	tidy := time.NewTicker(tidyEvery)
	defer tidy.Stop()
	for {
		select {
		case <-j.wake:
			j.gather()
			if closed := j.commit(); closed {
				return
			}
		case <-tidy.C:
			j.tidy()
		case <-held.C:
			j.holdNoMore()
		}
	}
}

// gather waits for company, unless somebody waits for a commit.
func (j *Journal) gather() {
	timer := time.NewTimer(gatherFor)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-j.hurry:
	}
}

// commit puts what waits on disk and hands it on, unless Keep has done so
// meanwhile; closed reports that nothing will come after it.
func (j *Journal) commit() (closed bool) {
	j.mu.Lock()
	records := j.waiting.begin()
	closed = j.closed
	series := concat(records)
	due := j.due(records, series)
	j.mu.Unlock()
	if len(records) == 0 && due.empty() {
		return closed
	}
	seq := j.store(due, len(series))
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tell(batch{records: j.waiting.records[:j.waiting.underway], series: series, seq: seq})
	return closed
}

// due returns what is to be put on disk: what is owed to it, what was delivered
// meanwhile, and what records, with these series, come to. The caller has locked
// mu.
func (j *Journal) due(records []rules.Record, series []rules.Series) debt {
	due := j.owed
	j.owed = debt{}
	if j.around {
		j.options.Log.Info("disk of the journal hangs no more")
	}
	j.around = false
	// What is told only after this commit is not looked at yet.
	fresh := debt{puts: j.outbox.tidy(make([]store.Put, 0, 2*len(records)), j.options.Notifier)}
	j.note(&fresh, records, series)
	due.add(fresh)
	return due
}

// note adds to d what records, with these series, change on disk. The caller has
// locked mu.
func (j *Journal) note(d *debt, records []rules.Record, series []rules.Series) {
	for i := range records {
		r := &records[i]
		for _, s := range r.States {
			d.puts = append(d.puts, store.Put{Key: stateKey(s.Group), Value: s.Data})
		}
		for k := range r.Told {
			d.puts = j.outbox.note(d.puts, &r.Told[k])
		}
	}
	if len(j.pumps) > 0 {
		d.series = series
	}
}

// store commits d, of which the last fresh samples were not owed before, and
// returns the number of the commit, or 0. What could not be stored is owed to the
// next commit.
func (j *Journal) store(d debt, fresh int) uint64 {
	end := j.watch()
	var rows []byte
	if len(d.series) > 0 {
		rows = j.options.EncodeRows(nil, d.series)
	}
	seq, err := j.options.Store.Commit(d.puts, rows, len(d.series))
	j.mu.Lock()
	defer j.mu.Unlock()
	end()
	if err == nil {
		return seq
	}
	// The store has logged and counted it.
	j.counts.unkept.Add(fresh)
	if !errors.Is(err, store.ErrTooLarge) {
		d.add(j.owed)
		d.trim()
		j.owed = d
	} // else it will not become smaller; the states in it come again with the next round
	return 0
}

// tidy tells the store what has been delivered, and what is owed to it.
func (j *Journal) tidy() {
	j.Settle()
	j.mu.Lock()
	due := j.due(nil, nil)
	j.mu.Unlock()
	if !due.empty() {
		j.store(due, 0)
	}
}

// holdNoMore tells the ends that groups had no news of.
func (j *Journal) holdNoMore() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.notify(j.outbox.held.take(func(config.Key) bool { return true }))
}
