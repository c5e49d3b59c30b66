package store

const (
	// sprawl and slack say when values are copied forward: when the folder is
	// larger than sprawl times what lives in it and slack segments.
	sprawl = 2
	slack  = 4
)

// bounds decides, by size, when a segment ends and when old ones have to go.
type bounds struct {
	segment int64 // bytes of a segment before the next begins
	max     int64 // of the folder; 0 is no bound
}

func boundsOf(o Options) bounds {
	b := bounds{segment: o.SegmentBytes, max: o.MaxBytes}
	if b.segment <= 0 {
		b.segment = defaultSegmentBytes
	}
	if b.max > 0 {
		b.segment = min(b.segment, b.max/8)
	}
	b.segment = min(max(b.segment, minSegmentBytes), maxSegmentBytes)
	return b
}

// sprawling reports whether a folder is much larger than the values that live in
// it need. Each segment counts for a part of its full size at least, so that there
// are not very many of them after many restarts.
func (b bounds) sprawling(bytes int64, segments int, live int64) bool {
	return max(bytes, int64(segments)*b.segment/16) > sprawl*live+slack*b.segment
}

// crowded reports whether old rows have to go for new ones.
func (b bounds) crowded(bytes int64) bool { return b.max > 0 && bytes > b.max-b.segment }

// roomy reports whether rows are far from having to go; they take that many bytes
// together with what is among them.
func (b bounds) roomy(pinned int64) bool { return pinned <= b.max/2 }
