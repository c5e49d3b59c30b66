package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"
)

// Batch is the rows of one commit.
type Batch struct {
	Seq     uint64 // number of the commit
	At      time.Time
	Samples int
	Rows    []byte // valid until Next or Close is called
}

// Reader reads the rows that one target has not settled, in the order of commits.
// It is for one goroutine.
type Reader struct {
	store  *Store
	target *target
	seq    uint64 // of the batch returned last
	source source
	rows   []byte
}

// Reader returns a Reader that begins with the first rows target has not settled.
func (s *Store) Reader(target string) *Reader {
	return &Reader{store: s, target: s.ledger.target(target)}
}

// Next returns the next rows; io.EOF if there are none, of which there may be more
// later. Rows that have been settled meanwhile, or were dropped, are passed over,
// and so are those that the disk has damaged: they are counted as dropped. After
// any other error Next may be called again.
func (r *Reader) Next() (Batch, error) {
	l := &r.store.ledger
	for {
		segment, b, ok, err := l.next(r.target, r.seq)
		switch {
		case err != nil:
			return Batch{}, err
		case !ok:
			return Batch{}, io.EOF
		}
		err = r.read(segment, b)
		var bad *damage
		switch {
		case err == nil:
			r.seq = b.seq
			return Batch{Seq: b.seq, At: time.UnixMilli(b.at), Samples: int(b.samples), Rows: r.rows}, nil
		case errors.As(err, &bad), errors.Is(err, fs.ErrNotExist):
			// If the segment was removed meanwhile, the rows are not there any more.
			if l.dropBatch(segment, b) {
				r.store.log.Error("results in the journal are damaged and dropped",
					"folder", r.store.disk.String(), "samples", b.samples, "error", err)
			}
		default:
			return Batch{}, fmt.Errorf("read results from journal %s: %w", r.store.disk, err)
		}
	}
}

func (r *Reader) read(s *segment, b batch) (err error) {
	if err := r.source.seek(r.store.disk, s.id, b.place); err != nil {
		return err
	}
	r.rows, err = readPayload(r.rows[:0], &r.source.frames)
	return err
}

// Close lets go of what the Reader holds. It may be used again afterwards.
func (r *Reader) Close() {
	r.source.close()
	r.rows = nil
}
