package store

import "sort"

// segment is one segment file. A void one, in which nothing counts, has end 0.
type segment struct {
	id uint64

	// Guarded by the ledger it is in.
	end     int64   // of what counts, in bytes; a block boundary
	size    int64   // on disk, in bytes
	last    uint64  // number of the last commit in this or an earlier segment
	batches []batch // in order; those that were dropped are gone

	// Owned by the committer.
	live int64 // bytes in values that are the latest of their keys
}

// batch is the rows of one commit.
type batch struct {
	seq     uint64 // number of the commit
	at      int64  // of the commit, Unix time in milliseconds
	place   place
	samples uint32
}

// after returns the batches of commits after seq.
func (s *segment) after(seq uint64) []batch {
	i := sort.Search(len(s.batches), func(i int) bool { return s.batches[i].seq > seq })
	return s.batches[i:]
}

// wanted reports whether the segment has rows after seq.
func (s *segment) wanted(seq uint64) bool {
	n := len(s.batches)
	return n > 0 && s.batches[n-1].seq > seq
}

func samplesOf(batches []batch) int {
	n := 0
	for i := range batches {
		n += int(batches[i].samples)
	}
	return n
}
