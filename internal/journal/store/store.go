package store

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/VictoriaMetrics/metrics"
)

var (
	// ErrLocked is wrapped by the error of Open when another process, or another
	// Store of this one, uses the folder.
	ErrLocked = errors.New("folder is in use by another process")
	// ErrUnwritable is wrapped by the error of Open when the folder cannot be made,
	// or does not allow what a store has to do in it. That its disk is full is not
	// such an error, unless the lock file has yet to be made.
	ErrUnwritable = errors.New("folder cannot be used for writing")
	// ErrTooLarge is wrapped by the error of Commit when the commit exceeds what
	// can be written at all.
	ErrTooLarge = errors.New("commit is too large")
	// ErrClosed is returned by what is called after Close.
	ErrClosed = errors.New("store is closed")
)

const (
	defaultSegmentBytes = 4 << 20
	minSegmentBytes     = 16 * blockSize
	maxSegmentBytes     = 1 << 30
	maxCommit           = 512 << 20 // bytes of values and rows together, before compression
	maxSamples          = 1<<31 - 1

	lockName = "lock"
)

// Options says where a Store is and how large it may become.
type Options struct {
	Path string // of the folder, which is made if need be
	// MaxBytes bounds the folder: the oldest rows are dropped to keep to it. Values
	// never are; if they alone need more, so be it. It may be exceeded for a moment
	// by the size of a commit. 0 is no bound.
	MaxBytes int64
	// SegmentBytes is the size at which a segment ends; 0 is 4 MiB. It is lowered
	// where MaxBytes asks for that.
	SegmentBytes int64
	// Targets are the names of those who rows are kept for; they are shown as
	// labels of metrics. One that is not known from the last time gets what is
	// committed from now on, and what was kept for one that is not named any more is
	// kept no longer. Without targets rows are not kept at all.
	Targets []string

	Metrics *metrics.Set
	Log     *slog.Logger
}

// Store is an open folder. Commit, Values and Close may be called from many
// goroutines and wait for one another; Settle, Last and Readers wait for none
// of them.
type Store struct {
	disk    disk
	release func() error // of the lock
	bounds  bounds
	metrics *storeMetrics
	log     *slog.Logger

	ledger ledger

	mu       sync.Mutex // guards the fields below: they are the committer's
	writer   writer
	values   values
	mover    mover
	health   health
	unsynced bool // a segment was removed since the folder was last synced
	closed   bool
}

// Put is a new value for a key. A nil Value removes the key.
type Put struct {
	Key   string // at most 1 MiB
	Value []byte
}

// Open opens the folder and reads what it holds. Damage is no error: what is there
// is moved to a folder beside it, one error is logged, and the store is empty. The
// error wraps ErrLocked, ErrUnwritable or ErrVersion where that applies; nothing
// has been touched then.
func Open(o Options) (*Store, error) {
	d, err := makeFolder(o.Path)
	if err != nil {
		return nil, fmt.Errorf("open journal %s: %w", o.Path, err)
	}
	release, err := lock(o.Path)
	if err != nil {
		return nil, fmt.Errorf("open journal %s: %w", o.Path, err)
	}
	s, err := open(o, d)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open journal %s: %w", o.Path, err), release())
	}
	s.release = release
	return s, nil
}

// open opens a store on a disk that nobody else uses.
func open(o Options, d disk) (*Store, error) {
	s := &Store{
		disk: d, release: func() error { return nil }, bounds: boundsOf(o),
		metrics: newStoreMetrics(o.Metrics), log: o.Log, values: newValues(),
		mover: mover{allowance: moveQuantum},
	}
	if err := checkTargets(o.Targets); err != nil {
		return nil, err
	}
	settled, err := s.load()
	if err != nil {
		return nil, err
	}
	for _, name := range o.Targets {
		t := &target{name: name, settled: s.ledger.last, drops: s.metrics.newDrops(name)}
		if i := slices.IndexFunc(settled, func(c cursor) bool { return c.target == name }); i >= 0 {
			t.settled = min(settled[i].settled, s.ledger.last)
		}
		s.ledger.targets = append(s.ledger.targets, t)
	}
	s.health.metrics, s.health.log = s.metrics, s.log
	s.metrics.degraded.Set(0)
	s.metrics.watch(&s.ledger)
	s.show()
	return s, nil
}

func checkTargets(names []string) error {
	length := 0
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("target %q is named twice", name)
		}
		length += len(name) + 12 // with its cursor
	}
	if length > maxKey {
		return fmt.Errorf("names of %d targets are too long together", len(names))
	}
	return nil
}

// Values calls f with every key and its latest value, in the order of the keys. f
// may keep the value and must not call the store. Values returns the first error
// of f, or one about what cannot be read.
func (s *Store) Values(f func(key string, value []byte) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	var src source
	defer src.close()
	for _, key := range s.values.keys() {
		at := s.values.at[key]
		if err := src.seek(s.disk, at.segment.id, at.place); err != nil {
			return fmt.Errorf("read journal %s: %w", s.disk, err)
		}
		value, err := readPayload([]byte{}, &src.frames)
		if err != nil {
			return fmt.Errorf("read journal %s: value of %q: %w", s.disk, key, err)
		}
		if err := f(key, value); err != nil {
			return err
		}
	}
	return nil
}

// Settle records that target needs no rows of the commits up to and including
// through. It becomes durable with a later commit.
func (s *Store) Settle(target string, through uint64) {
	s.ledger.settle(s.ledger.target(target), through)
}

// Last returns the number of the last commit; 0 if there is none.
func (s *Store) Last() uint64 {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	return s.ledger.last
}

// Close makes the cursors durable and lets others have the folder. Readers that
// are still used return ErrClosed.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	var err error
	if s.writer.used {
		s.ledger.unsettle() // so that there is a commit after the last, see Open
	}
	if s.ledger.moved() {
		_, err = s.commit(nil, nil, 0)
	}
	s.writer.leave()
	s.mover.rest()
	s.ledger.close()
	s.metrics.unwatch()
	if lockErr := s.release(); lockErr != nil {
		err = errors.Join(err, fmt.Errorf("release lock of journal %s: %w", s.disk, lockErr))
	}
	return err
}
