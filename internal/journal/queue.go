package journal

import "tocsin/rules"

const (
	// maxFresh is how many samples a target may lag behind before they are dropped
	// from memory and read back from disk later.
	maxFresh = 100_000
	// maxUnkept is the same for samples that are on no disk; they are lost then.
	maxUnkept = maxOwed
)

// parcel is results to be put: those of one commit in memory, or some on disk.
type parcel struct {
	seq    uint64 // of the commit; 0 if it is not on disk
	series []rules.Series
	// stored: these are the results on disk up to commit seq that have not been put.
	stored bool
}

// queue is the parcels of a target, in the order in which they are to be put. Once
// there is a stored one, all commits that are on disk come from there.
type queue struct {
	parcels []parcel
	samples int // in memory
	stored  int // parcels
}

func (q *queue) empty() bool { return len(q.parcels) == 0 }

// add takes p and reports whether it did: not if it is on no disk and there is no
// room for it in memory.
func (q *queue) add(p parcel) bool {
	n := len(p.series)
	switch {
	case p.seq == 0 && q.samples > 0 && q.samples+n > maxUnkept:
		return false
	case p.seq != 0 && (q.stored > 0 || q.samples > 0 && q.samples+n > maxFresh):
		q.addStored(p.seq)
	default:
		q.parcels = append(q.parcels, p)
		q.samples += n
	}
	return true
}

// addStored adds what is on disk up to commit seq.
func (q *queue) addStored(seq uint64) {
	if n := len(q.parcels); n > 0 && q.parcels[n-1].stored {
		q.parcels[n-1].seq = max(q.parcels[n-1].seq, seq)
		return
	}
	q.parcels = append(q.parcels, parcel{seq: seq, stored: true})
	q.stored++
}

// pop removes the first parcel.
func (q *queue) pop() {
	first := &q.parcels[0]
	q.samples -= len(first.series)
	if first.stored {
		q.stored--
	}
	*first = parcel{}
	if q.parcels = q.parcels[1:]; len(q.parcels) == 0 {
		q.parcels = nil
	}
}

// postpone puts the first parcel, which is stored and cannot be read, behind those
// in memory.
func (q *queue) postpone() {
	seq := q.parcels[0].seq
	q.pop()
	if q.stored == 0 { // else a later one is of everything up to there
		q.addStored(seq)
	}
}
