package replay

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// Record is a file that tells how far a replay has come. It belongs to one replay:
// that of the same rules over the same period, by the same servers. There is one
// only while the replay is under way or interrupted. A nil Record keeps nothing.
type Record struct {
	path    string
	made    bool // the folder around that of the record
	release func() error
	known   content
}

// content is what the file holds.
type content struct {
	Version  int
	From, To time.Time
	Open     bool
	Rules    []ruleContent // of all groups, by number

	// What makes the replay incomplete, so that its end can tell.
	Failed, Skipped int
}

// ruleContent is how far one rule has come: done, or as its state says. It is
// empty before the first evaluation.
type ruleContent struct {
	Done  bool   `json:",omitempty"`
	State []byte `json:",omitempty"`
	// Last is a sample of the last that the rule wrote, which queries may not find
	// yet when the replay goes on.
	Last *sampleContent `json:",omitempty"`
}

type sampleContent struct {
	Labels labels.Labels
	T      int64 // milliseconds since the Unix epoch
}

const contentVersion = 1

// ErrRunning is wrapped by the error of OpenRecord for a replay that another
// process runs.
var ErrRunning = errors.New("the same replay is running already")

// OpenRecord opens, in the folder dir, the record of the replay that identity
// tells from others: anything that can be written as JSON. With afresh, what it
// says is forgotten. A record that cannot be read is so, too, and the error wraps
// ErrBadRecord; the Record can be used nevertheless.
func OpenRecord(dir string, identity any, afresh bool) (*Record, error) {
	text, err := json.Marshal(identity)
	if err != nil {
		return nil, fmt.Errorf("identify the replay: %w", err)
	}
	digest := sha256.Sum256(text)
	r := &Record{path: filepath.Join(dir, hex.EncodeToString(digest[:8])+".json")}
	_, err = os.Stat(filepath.Dir(dir))
	r.made = errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("record of the replay: %w", err)
	}
	if r.release, err = lock(r.lockPath()); err != nil {
		return nil, fmt.Errorf("record of the replay %s: %w", r.path, err)
	}
	if afresh {
		return r, nil
	}
	if err := r.read(); err != nil {
		r.known = content{}
		return r, fmt.Errorf("%w %s: %w", ErrBadRecord, r.path, err)
	}
	return r, nil
}

// ErrBadRecord is wrapped by the error of a record that cannot be read.
var ErrBadRecord = errors.New("unusable record of a replay")

func (r *Record) lockPath() string { return r.path + ".lock" }

func (r *Record) read() error {
	b, err := os.ReadFile(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(b, &r.known)
	}
	if err == nil && r.known.Version != contentVersion {
		err = fmt.Errorf("it is of version %d, this program knows version %d", r.known.Version, contentVersion)
	}
	return err
}

// Period returns that of the interrupted replay, if there was one. It is to be
// replayed although it ended at a present that is past now.
func (r *Record) Period() (p Period, interrupted bool) {
	if r == nil || len(r.known.Rules) == 0 {
		return Period{}, false
	}
	return Period{From: r.known.From, To: r.known.To, Open: r.known.Open}, true
}

// write replaces what the file holds.
func (r *Record) write(c content) error {
	if err := r.replace(c); err != nil {
		return fmt.Errorf("record of the replay: %w", err)
	}
	return nil
}

func (r *Record) replace(c content) error {
	b, err := json.Marshal(c)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(r.path), filepath.Base(r.path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), r.path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the error that matters is returned
	}
	return err
}

// remove deletes the record of a replay that is complete.
func (r *Record) remove() error {
	if r == nil {
		return nil
	}
	err := os.Remove(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("record of the complete replay: %w", err)
	}
	return nil
}

// Close lets others have the record. It is called when Run has returned. Unless
// there is a record left, nothing is.
func (r *Record) Close() error {
	if r == nil {
		return nil
	}
	if _, err := os.Stat(r.path); errors.Is(err, fs.ErrNotExist) {
		// What stays, because others use it, is in nobody's way.
		_ = os.Remove(r.lockPath())
		_ = os.Remove(filepath.Dir(r.path))
		if r.made {
			_ = os.Remove(filepath.Dir(filepath.Dir(r.path)))
		}
	}
	return r.release()
}
