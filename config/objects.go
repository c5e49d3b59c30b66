package config

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// ErrUnchanged is wrapped by an ObjectStore's error when an object is still of
// the version that the caller knows.
var ErrUnchanged = errors.New("unchanged")

// ErrNoAnswer is wrapped by an ObjectStore's error when it could not find out: the
// next question is likely to end the same way.
var ErrNoAnswer = errors.New("no answer")

// ObjectStore reads rule files from object storage. Its methods may be called
// concurrently. Their errors name neither bucket nor key, and hold no secrets.
type ObjectStore interface {
	// List returns the objects whose keys begin with prefix.Key.
	List(ctx context.Context, prefix Location) ([]Object, error)
	// Read returns the content of an object, of at most so many bytes unless most is
	// 0, and its version. Unless known is "", that version is not read again: the
	// error wraps ErrUnchanged then. It wraps fs.ErrNotExist if the object is gone.
	Read(ctx context.Context, at Location, known string, most int64) (data []byte, version string, err error)
}

// Object is what a listing tells of an object.
type Object struct {
	Key     string
	Version string // changes with the content; "" if the listing does not tell
	Size    int64  // bytes as stored
}

// stored is what makes a source an object.
type stored struct {
	at      Location
	version string // as listed
	size    int64
	outage  *outage
}

// remoteReads is how many URLs and objects are read at a time.
const remoteReads = 16

// patience is how many objects of a bucket may go without an answer, one after
// the other, before the rest is not asked for.
const patience = remoteReads

// outage counts the objects of a bucket that got no answer since the last that
// did, over one load. Without it, a store that hangs would hold a load for its
// timeout times the number of objects.
type outage struct{ silent atomic.Int32 }

func (o *outage) lasts() bool { return o.silent.Load() >= patience }

// note takes account of how a question ended.
func (o *outage) note(unanswered bool) {
	if unanswered {
		o.silent.Add(1)
	} else {
		o.silent.Store(0)
	}
}

// listing is what became of listing a pattern.
type listing struct {
	at      string   // with the scheme by its usual name
	sources []source // if there is an error, one that has it as its problem
	err     error
}

// listAll lists the patterns that stand for object storage, all at once: one entry
// for each pattern, empty for the others.
func (l *Loader) listAll(ctx context.Context) []listing {
	all := make([]listing, len(l.opts.Patterns))
	outages := map[Location]*outage{} // by bucket
	var tasks errgroup.Group
	tasks.SetLimit(remoteReads)
	for i, pattern := range l.opts.Patterns {
		if !IsLocation(pattern) {
			continue
		}
		at, err := ParseLocation(pattern)
		if err != nil {
			scheme, _, _ := strings.Cut(pattern, "://")
			all[i] = unlisted(pattern, scheme+"://", err)
			continue
		}
		bucket := Location{Scheme: at.Scheme, Bucket: at.Bucket}
		if outages[bucket] == nil {
			outages[bucket] = new(outage)
		}
		shared := outages[bucket]
		tasks.Go(func() error {
			objects, err := l.objectsAt(ctx, at)
			if err != nil {
				all[i] = unlisted(pattern, at.String(), err)
			} else {
				all[i] = listing{at: at.String(), sources: l.sources(at, objects, shared)}
			}
			return nil
		})
	}
	_ = tasks.Wait() // no task has an error of its own
	return all
}

// unlisted is a listing that failed: a source stands for it that has the problem.
func unlisted(pattern, shown string, err error) listing {
	return listing{at: shown, err: err, sources: []source{{
		path: pattern, name: shown, object: new(stored), problem: Problem{Message: err.Error()},
	}}}
}

func (l *Loader) objectsAt(ctx context.Context, at Location) ([]Object, error) {
	if l.opts.Objects == nil {
		return nil, errors.New("object storage cannot be read here")
	}
	waiting, cancel := l.bounded(ctx)
	defer cancel()
	objects, err := l.opts.Objects.List(waiting, at)
	if err != nil {
		return nil, fmt.Errorf("list the objects: %w", l.overdue(ctx, waiting, err))
	}
	slices.SortFunc(objects, func(a, b Object) int { return strings.Compare(a.Key, b.Key) })
	return objects, nil
}

// sources returns objects to read, without those that stand for folders.
func (l *Loader) sources(at Location, objects []Object, shared *outage) []source {
	all := make([]source, 0, len(objects))
	for _, o := range objects {
		if o.Key == "" || strings.HasSuffix(o.Key, "/") {
			continue
		}
		at.Key = o.Key
		s := source{path: at.String(), name: at.String(), globbed: true, object: &stored{
			at: at, version: o.Version, size: o.Size, outage: shared,
		}}
		if l.opts.StripPath {
			s.name = path.Base(o.Key)
		}
		all = append(all, s)
	}
	return all
}

// readObject reads an object unless it is of the version known.
func (l *Loader) readObject(ctx context.Context, o *stored, known version) ([]byte, version, error) {
	most := l.opts.MaxSize
	switch {
	case o.version != "" && o.version == known.listed:
		return nil, known, ErrUnchanged
	case most > 0 && o.size > most:
		return nil, version{}, tooLarge(most)
	case o.outage.lasts():
		return nil, version{}, fmt.Errorf("not asked for: %w to requests before", ErrNoAnswer)
	}
	waiting, cancel := l.bounded(ctx)
	defer cancel()
	data, tag, err := l.opts.Objects.Read(waiting, o.at, known.tag, most)
	if errors.Is(err, ErrUnchanged) {
		tag = known.tag
	}
	o.outage.note(waiting.Err() != nil || errors.Is(err, ErrNoAnswer))
	return data, version{listed: o.version, tag: tag}, l.overdue(ctx, waiting, err)
}
