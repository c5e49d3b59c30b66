package store

import (
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// A Store is compared with maps and slices while it is written to, read, reopened
// and cut off from power, on a disk that fails now and then.

// contents is what a Store has to hold.
type contents struct {
	values map[string]string
	rows   map[uint64]string // by commit; all there ever were
	last   uint64
}

func (c contents) with(seq uint64, puts []Put, rows []byte) contents {
	after := contents{maps.Clone(c.values), maps.Clone(c.rows), seq}
	for _, p := range puts {
		if p.Value == nil {
			delete(after.values, p.Key)
		} else {
			after.values[p.Key] = string(p.Value)
		}
	}
	if len(rows) > 0 {
		after.rows[seq] = string(rows)
	}
	return after
}

type storeModel struct {
	*rig

	want contents
	// What the store may be found to hold if the process ends now: commits that
	// have failed since the last that succeeded.
	perhaps []contents
	targets map[string]*modelTarget
}

type modelTarget struct {
	settled uint64
	durable uint64 // of settled, certainly
	// Through which commit it has ever settled rows, or was denied them. They may be
	// gone from the disk, but after a crash may also be delivered again.
	done uint64
	// Samples that were dropped in this process: at least, at most.
	lostLeast, lostMost int
	reader              *modelReader
}

type modelReader struct {
	reader *Reader
	last   uint64
}

func TestStoreIsLikeItsModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newStoreModel(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"commit":   m.commit,
			"commit2":  m.commit,
			"commit3":  m.commit,
			"settle":   m.settle,
			"settle2":  m.settle,
			"read":     m.read,
			"faults":   m.faults,
			"restart":  m.restart,
			"kill":     m.kill,
			"powerCut": m.powerCut,
			"":         m.check,
		})
	})
}

func newStoreModel(rt *rapid.T) *storeModel {
	seed := rapid.Uint64().Draw(rt, "seed")
	m := &storeModel{
		want: contents{values: map[string]string{}, rows: map[uint64]string{}},
	}
	m.rig = newRig(rt, Options{
		SegmentBytes: minSegmentBytes,
		MaxBytes:     rapid.SampledFrom([]int64{0, 400_000, 1_000_000}).Draw(rt, "max"),
	})
	m.random = rand.New(rand.NewPCG(seed, 1))
	m.disk.random = rand.New(rand.NewPCG(seed, 2))
	m.targets = map[string]*modelTarget{"a": {}, "b": {}}
	return m
}

func (m *storeModel) commit(t *rapid.T) {
	var puts []Put
	for range rapid.IntRange(0, 4).Draw(t, "puts") {
		key := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "cold1", "cold2"}).Draw(t, "key")
		if rapid.IntRange(0, 4).Draw(t, "remove") == 0 {
			puts = append(puts, remove(key))
			continue
		}
		size := rapid.SampledFrom([]int{0, 1, 100, 5000, 30_000, 150_000}).Draw(t, "size")
		puts = append(puts, Put{Key: key, Value: m.noise(size)})
	}
	rows := m.noise(rapid.SampledFrom([]int{0, 0, 10, 4000, 80_000}).Draw(t, "rows"))
	seq, err := m.Commit(puts, rows, len(rows))
	switch {
	case err != nil:
		if m.disk.fail == nil {
			t.Fatalf("commit fails on a sound disk: %v", err)
		}
		m.perhaps = append(m.perhaps, m.want.with(m.want.last+1, puts, rows))
	case seq == m.want.last:
		if after := m.want.with(seq, puts, nil); len(rows) > 0 || !maps.Equal(after.values, m.want.values) {
			t.Fatal("a commit was left out")
		}
	default:
		m.succeeded(seq, puts, rows)
	}
}

// succeeded notes a commit. Cursors have been written with it.
func (m *storeModel) succeeded(seq uint64, puts []Put, rows []byte) {
	if seq != m.want.last+1 {
		m.t.Fatalf("commit is number %d after %d", seq, m.want.last)
	}
	m.want, m.perhaps = m.want.with(seq, puts, rows), nil
	for _, t := range m.targets {
		t.durable = t.settled
	}
}

func (m *storeModel) settle(t *rapid.T) {
	name := rapid.SampledFrom(m.options.Targets).Draw(t, "target")
	target := m.targets[name]
	through := target.settled + uint64(rapid.IntRange(0, 20).Draw(t, "more"))
	m.Settle(name, through)
	target.settled = max(target.settled, min(through, m.want.last))
}

// read goes on with the reader of a target.
func (m *storeModel) read(t *rapid.T) {
	name := rapid.SampledFrom(m.options.Targets).Draw(t, "target")
	target := m.targets[name]
	if target.reader == nil {
		target.reader = &modelReader{reader: m.Reader(name)}
	}
	r := target.reader
	for range rapid.IntRange(1, 5).Draw(t, "batches") {
		b, err := r.reader.Next()
		if err == io.EOF {
			if n := m.waiting(name).batches; n > 0 && r.last < target.settled {
				t.Fatalf("end of rows, though %d batches wait", n)
			}
			return
		}
		if err != nil && m.disk.fail != nil {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if b.Seq <= r.last || b.Seq <= target.settled || string(b.Rows) != m.want.rows[b.Seq] {
			t.Fatalf("%s reads batch %d after %d, settled %d", name, b.Seq, r.last, target.settled)
		}
		r.last = b.Seq
	}
}

// faults makes the disk fail, or work again.
func (m *storeModel) faults(t *rapid.T) {
	op := rapid.SampledFrom([]string{"", "", "write", "sync", "create", "syncfolder", "truncate", "remove"}).Draw(t, "op")
	with := rapid.SampledFrom([]string{"remove", "truncate", "none"}).Draw(t, "with")
	if op == "" {
		m.disk.fail = nil
		return
	}
	m.disk.fail = func(did, _ string) error {
		if did == op || did == with && m.random.IntN(2) == 0 {
			return errors.New("disk fails")
		}
		return nil
	}
}

func (m *storeModel) restart(t *rapid.T) {
	m.disk.fail = nil
	want := m.want.last
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if last := m.ledger.last; last > want {
		m.succeeded(last, nil, nil)
	}
	for _, name := range m.options.Targets {
		m.checkDropped(t, name)
	}
	m.begin(t)
}

// kill ends the process without Close. The system has all that was written.
func (m *storeModel) kill(t *rapid.T) {
	m.disk.fail = nil
	m.begin(t)
}

func (m *storeModel) powerCut(t *rapid.T) {
	m.disk = m.disk.powerCut()
	m.begin(t)
}

// begin opens the store in a new process and finds out which of the commits that
// failed it knows.
func (m *storeModel) begin(t *rapid.T) {
	m.reopen()
	if len(m.disk.folders) > 0 {
		t.Fatalf("taken for damaged: %v", m.book.lines)
	}
	if m.ledger.last != m.want.last {
		values := m.values()
		for _, p := range m.perhaps {
			if m.ledger.last == p.last && maps.Equal(values, p.values) && m.lastRows() == p.rows[p.last] {
				m.want = p
			}
		}
	}
	if m.ledger.last != m.want.last {
		t.Fatalf("last commit is %d, want %d", m.ledger.last, m.want.last)
	}
	m.perhaps = nil
	for name, target := range m.targets {
		got := m.ledger.target(name).settled
		if got < target.durable {
			t.Fatalf("%s has settled %d, want at least %d", name, got, target.durable)
		}
		*target = modelTarget{settled: got, durable: got, done: max(target.done, target.settled)}
	}
}

// lastRows returns the rows of the last commit on disk.
func (m *storeModel) lastRows() string {
	s := m.ledger.newest()
	if len(s.batches) == 0 || s.batches[len(s.batches)-1].seq != m.ledger.last {
		return ""
	}
	var src source
	if err := src.seek(m.disk, s.id, s.batches[len(s.batches)-1].place); err != nil {
		m.rig.t.Fatal(err)
	}
	rows, err := readPayload(nil, &src.frames)
	if err != nil {
		m.rig.t.Fatal(err)
	}
	return string(rows)
}
