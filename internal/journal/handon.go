package journal

import (
	"time"

	"tocsin/rules"
)

// batch is records that are handed on together.
type batch struct {
	seq     uint64 // of their commit; 0 if they are not on disk
	records []rules.Record
	series  []rules.Series // of all records
}

// goAround hands on all that waits without the disk, which hangs. What is not in
// the commit under way is owed to the disk. Until the loop is back from there,
// nothing waits for it. The caller has locked mu.
func (j *Journal) goAround() {
	w := &j.waiting
	next := w.records[w.underway:]
	series := concat(next)
	var d debt
	j.note(&d, next, series)
	j.owed.add(d)
	j.owed.trim()
	if !j.around {
		j.options.Log.Error("disk of the journal hangs, a crash would lose what is in memory")
	}
	j.around = true
	j.counts.bypassed.Add(len(w.records))
	j.counts.unkept.Add(len(series))
	j.tell(batch{records: w.records, series: concat(w.records)})
}

// watch has what waits go around the disk if the commit that begins now does not end
// within hangAfter. The caller calls end, with mu locked, when it has ended.
func (j *Journal) watch() (end func()) {
	ended := false // guarded by mu
	timer := time.AfterFunc(hangAfter, func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		if !ended {
			j.goAround()
		}
	})
	return func() {
		ended = true
		timer.Stop()
	}
}

// tell hands on b, the first records that wait, and wakes those who wait for that,
// or for room. The caller has locked mu, which keeps everything in order; nothing
// of this waits for anybody.
func (j *Journal) tell(b batch) {
	if len(b.records) == 0 {
		return
	}
	j.handOn(b)
	j.told += uint64(len(b.records))
	j.waiting.remove(len(b.records))
	close(j.changed)
	j.changed = make(chan struct{})
}

// handOn tells of alerts and gives the series to the targets.
func (j *Journal) handOn(b batch) {
	for i := range b.records {
		j.notify(j.outbox.held.release(&b.records[i]))
		j.notify(b.records[i].Told)
	}
	if len(b.series) == 0 {
		return
	}
	for _, p := range j.pumps {
		p.offer(parcel{seq: b.seq, series: b.series})
	}
}

// notify tells of alerts.
func (j *Journal) notify(all []rules.Notification) {
	for _, n := range all {
		if err := j.options.Notifier.Notify(n); err != nil {
			j.counts.untold.Add(len(n.Alerts))
		}
	}
}
