package remotewrite

import (
	"time"

	"tocsin/rules"
)

// part is rows of one batch, all of one shard. The batch is kept as it was
// handed in; a part only says which rows of it are meant.
type part struct {
	batch []rules.Series
	index []uint32      // into batch, ascending; nil means all of it
	seq   uint64        // number of the Append it came by
	at    time.Duration // when it was queued, by the queue's clock
}

func (p *part) len() int {
	if p.index != nil {
		return len(p.index)
	}
	return len(p.batch)
}

// row returns row i of the part.
func (p *part) row(i int) *rules.Series {
	if p.index != nil {
		return &p.batch[p.index[i]]
	}
	return &p.batch[i]
}

// cut divides p before row n; 0 < n < p.len().
func (p *part) cut(n int) (head, tail part) {
	head, tail = *p, *p
	if p.index != nil {
		head.index, tail.index = p.index[:n], p.index[n:]
	} else {
		head.batch, tail.batch = p.batch[:n], p.batch[n:]
	}
	return head, tail
}

// fifo is parts in the order in which they came. The zero value is empty.
type fifo struct {
	items []part
	head  int // of items; what is before it is zero
	rows  int
}

// keptParts is how many parts an empty fifo keeps room for, so that the memory
// of a long failure is not held for ever.
const keptParts = 4096

func (f *fifo) empty() bool { return f.rows == 0 }

// front is the oldest part; f must not be empty.
func (f *fifo) front() *part { return &f.items[f.head] }

func (f *fifo) push(p part) {
	if len(f.items) == cap(f.items) && f.head > len(f.items)/2 {
		n := copy(f.items, f.items[f.head:])
		clear(f.items[n:])
		f.items, f.head = f.items[:n], 0
	}
	f.items = append(f.items, p)
	f.rows += p.len()
}

// pop takes the oldest rows, at most limit, all of one part; f must not be empty.
func (f *fifo) pop(limit int) part {
	p := f.front()
	if p.len() > limit {
		head, tail := p.cut(limit)
		*p = tail
		f.rows -= limit
		return head
	}
	taken := *p
	*p = part{}
	f.head++
	f.rows -= taken.len()
	if f.rows == 0 {
		f.items, f.head = f.items[:0], 0
		if cap(f.items) > keptParts {
			f.items = nil
		}
	}
	return taken
}

// split says which rows of a batch belong to which shard.
type split struct {
	index []uint32               // rows of shard 0, then of shard 1, ...; nil if one shard has all
	ends  [maxConcurrency]uint32 // where a shard's rows end in index
	all   int                    // that one shard
}

// splitRows divides a batch, which is not empty, among shards by the hash of the
// labels. Rows of a shard keep their order.
func splitRows(batch []rules.Series, shards int) (s split) {
	if shards == 1 {
		return s
	}
	if len(batch) == 1 {
		s.all = shardOf(&batch[0], shards)
		return s
	}
	var few [16]uint8
	of := few[:]
	if len(batch) > len(few) {
		of = make([]uint8, len(batch))
	}
	var next [maxConcurrency]uint32
	for i := range batch {
		shard := shardOf(&batch[i], shards)
		of[i] = uint8(shard)
		s.ends[shard]++
	}
	end := uint32(0)
	for shard := range shards {
		next[shard] = end
		end += s.ends[shard]
		s.ends[shard] = end
	}
	s.index = make([]uint32, len(batch))
	for i := range batch {
		shard := of[i]
		s.index[next[shard]] = uint32(i)
		next[shard]++
	}
	return s
}

func shardOf(row *rules.Series, shards int) int {
	return int(row.Labels.Hash() % uint64(shards))
}

// part returns the rows of batch that belong to shard i, which may be none.
func (s *split) part(batch []rules.Series, i int) (p part, ok bool) {
	if s.index == nil {
		return part{batch: batch}, s.all == i
	}
	begin := uint32(0)
	if i > 0 {
		begin = s.ends[i-1]
	}
	if begin == s.ends[i] {
		return part{}, false
	}
	return part{batch: batch, index: s.index[begin:s.ends[i]:s.ends[i]]}, true
}
