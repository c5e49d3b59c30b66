package journal

import (
	"errors"
	"slices"
	"time"

	"tocsin/internal/journal/store"
	"tocsin/rules"
)

// batch is the records of one commit.
type batch struct {
	seq     uint64 // 0 if it is not on disk
	records []rules.Record
	series  []rules.Series // of all records
}

// run commits until the journal is closed and nothing waits.
func (j *Journal) run() {
	tidy := time.NewTicker(tidyEvery)
	defer tidy.Stop()
	for {
		select {
		case <-j.wake:
			j.gather()
		case <-tidy.C:
			j.tidy()
			continue
		}
		records, closed := j.take()
		if len(records) > 0 {
			j.commit(records)
		}
		if closed {
			return
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

// take returns what waits; closed reports that nothing will come after it.
func (j *Journal) take() (records []rules.Record, closed bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	records, j.waiting = j.waiting, nil
	return records, j.closed
}

// commit puts records on disk and hands them on.
func (j *Journal) commit(records []rules.Record) {
	b := &batch{records: records}
	// What is told only after this commit is not looked at yet.
	puts := j.outbox.tidy(make([]store.Put, 0, 2*len(records)), j.options.Notifier)
	size := 0
	for i := range records {
		r := &records[i]
		size += sizeOf(r)
		for _, s := range r.States {
			puts = append(puts, store.Put{Key: stateKey(s.Group), Value: s.Data})
		}
		for k := range r.Told {
			puts = j.outbox.note(puts, &r.Told[k])
		}
	}
	b.series = concat(records)
	b.seq = j.store(puts, b.series)
	j.handOn(b)
	j.noteTold(len(records), size)
}

// maxOwed bounds the samples that are owed to a disk that takes nothing.
const maxOwed = 1_000_000

// store commits and returns the number of the commit, or 0. What could not be
// stored is owed to the next commit: the memory that a later one stores must not
// be of evaluations whose results are on no disk.
func (j *Journal) store(puts []store.Put, series []rules.Series) uint64 {
	puts = latest(append(j.owed, puts...))
	if len(j.pumps) == 0 {
		series = nil
	}
	all := series
	if len(j.owedSeries) > 0 {
		all = slices.Concat(j.owedSeries, series)
	}
	var rows []byte
	if len(all) > 0 {
		rows = j.options.EncodeRows(nil, all)
	}
	seq, err := j.options.Store.Commit(puts, rows, len(all))
	switch {
	case errors.Is(err, store.ErrTooLarge):
		// It will not become smaller; the states in it come again with the next round.
		j.counts.lost.Add(len(all))
		j.owed, j.owedSeries = nil, nil
		return 0
	case err != nil:
		// The store has logged and counted it.
		j.counts.unkept.Add(len(series))
		surplus := max(len(all)-maxOwed, 0)
		j.counts.lost.Add(surplus)
		j.owed, j.owedSeries = puts, all[surplus:]
		return 0
	}
	j.owed, j.owedSeries = nil, nil
	return seq
}

// concat returns the series of all records.
func concat(records []rules.Record) []rules.Series {
	if len(records) == 1 {
		return records[0].Series
	}
	all := make([][]rules.Series, len(records))
	for i := range records {
		all[i] = records[i].Series
	}
	return slices.Concat(all...)
}

// latest returns puts without those that a later one for the same key replaces.
func latest(puts []store.Put) []store.Put {
	last := make(map[string]int, len(puts))
	for i := range puts {
		last[puts[i].Key] = i
	}
	if len(last) == len(puts) {
		return puts
	}
	kept := puts[:0]
	for i := range puts {
		if last[puts[i].Key] == i {
			kept = append(kept, puts[i])
		}
	}
	return kept
}

// handOn tells of alerts and gives the series to the targets.
func (j *Journal) handOn(b *batch) {
	for i := range b.records {
		for _, n := range b.records[i].Told {
			if err := j.options.Notifier.Notify(n); err != nil {
				j.counts.untold.Add(len(n.Alerts))
			}
		}
	}
	if len(b.series) == 0 {
		return
	}
	for _, p := range j.pumps {
		p.offer(rowBatch{seq: b.seq, series: b.series})
	}
}

// noteTold wakes those who wait for records to be handed on, or for room.
func (j *Journal) noteTold(records, size int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.told += uint64(records)
	j.bytes -= size
	close(j.changed)
	j.changed = make(chan struct{})
}

// tidy tells the store what has been delivered, and what is owed to it.
func (j *Journal) tidy() {
	j.Settle()
	if puts := j.outbox.tidy(nil, j.options.Notifier); len(puts)+len(j.owed)+len(j.owedSeries) > 0 {
		j.store(puts, nil)
	}
}
