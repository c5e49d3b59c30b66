package config

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Options says which rule files to load and how to read them.
type Options struct {
	// Patterns are files, globs (with ** for any number of directories), http(s)
	// URLs, and prefixes of objects as in s3://bucket/prefix, read in this order.
	Patterns []string
	Defaults Defaults
	// ValidateExpressions checks every expression in the language of its group.
	ValidateExpressions bool
	// StripPath shows files by the last element of their path, in keys and
	// problems alike.
	StripPath bool

	MaxSize   int64             // most bytes of one file, URL or object, unpacked; 0 is no limit
	Timeout   time.Duration     // for one URL, object or listing; 0 is no limit
	Transport http.RoundTripper // for URLs; nil is http.DefaultTransport
	Objects   ObjectStore       // nil makes a problem of every prefix of objects
	// Env looks up the variables of %{NAME}. Nil leaves all of them as written.
	Env func(name string) (value string, found bool)
}

// Defaults are in force where a group or rule does not say otherwise. The zero
// value stands for an interval of a minute, type prometheus and one update.
type Defaults struct {
	Interval      time.Duration
	EvalDelay     time.Duration
	Type          Type
	Limit         int
	UpdateEntries int
	Tenants       Tenants
}

func (d Defaults) orUsual() Defaults {
	if d.Interval <= 0 {
		d.Interval = time.Minute
	}
	if d.Type == "" {
		d.Type = Prometheus
	}
	d.Limit = max(d.Limit, 0)
	d.UpdateEntries = max(d.UpdateEntries, 1)
	return d
}

// Set is what one load found.
type Set struct {
	Groups []Group // of the files without problems: patterns in order, files sorted, groups as written
	Files  []File  // every file that could be found, in the order of Groups
	// Unmatched are the globs and prefixes that nothing matches, which is allowed.
	Unmatched []string
	// Incomplete: a pattern could not be resolved, so there may be more files.
	Incomplete bool
}

// File is one rule file of a Set.
type File struct {
	Name     string   // as the API shows it; the File of its groups' keys
	Hash     Hash     // of what was read; zero if nothing could be
	Groups   []Group  // a part of Set.Groups; empty if there are problems
	Read     []Group  // as far as they could be read, for more checks; not to be run
	Problems Problems // by line
}

// Hash tells file contents apart, variables replaced.
type Hash [sha256.Size]byte

// Problems returns those of all files, sorted.
func (s *Set) Problems() Problems {
	var all Problems
	for i := range s.Files {
		all = append(all, s.Files[i].Problems...)
	}
	all.Sort()
	return all
}

// Load is NewLoader followed by one Load.
func Load(ctx context.Context, o Options) (*Set, error) {
	return NewLoader(o).Load(ctx)
}

// Loader loads the same patterns again and again. It remembers what it made of
// each file, so that a load parses only the files that changed.
type Loader struct {
	opts    Options
	parsing chan struct{} // held while a file is parsed

	// Owned by Load.
	known map[string]parsed // by source.path
}

// parsed is what became of one file's content.
type parsed struct {
	name     string
	hash     Hash    // zero if it could not be read
	version  version // of what was read, if its server tells
	groups   []Group
	pieces   []piece // one for each of groups; nil if it was read as a whole
	problems Problems
	good     *parsed // while there are problems: the last version without, or nil
}

// lastGood returns the last version of the file without problems; an empty one if
// there was none.
func (p *parsed) lastGood() *parsed {
	switch {
	case len(p.problems) == 0:
		return p
	case p.good != nil:
		return p.good
	}
	return new(parsed)
}

// lastRead returns the last version of the file that is still known, be it good or
// not; an empty one if there is none.
func (p *parsed) lastRead() *parsed {
	if p.hash != (Hash{}) {
		return p
	}
	return p.lastGood()
}

// NewLoader returns a Loader that has read nothing yet.
func NewLoader(o Options) *Loader {
	o.Defaults = o.Defaults.orUsual()
	// Parsing is work for the processors, while reading is mostly waiting.
	return &Loader{opts: o, parsing: make(chan struct{}, max(4, runtime.GOMAXPROCS(0)))}
}

// Load reads all files. If some have problems it returns them, as Problems,
// together with the Set of what is good. Any other error is ctx's and comes
// without a Set. Load must not be called while another one is running.
func (l *Loader) Load(ctx context.Context) (*Set, error) {
	found := l.find(ctx)
	results := make([]parsed, len(found.sources))
	present := make([]bool, len(found.sources))

	var tasks errgroup.Group
	tasks.SetLimit(max(remoteReads, cap(l.parsing)))
	for i, src := range found.sources {
		tasks.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			results[i], present[i] = l.load(ctx, src)
			return nil
		})
	}
	if err := tasks.Wait(); err != nil {
		return nil, fmt.Errorf("load rule files: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("load rule files: %w", err)
	}

	l.remember(found, results, present)
	set := &Set{Unmatched: found.unmatched, Incomplete: found.incomplete}
	for i := range found.sources {
		if present[i] {
			set.Files = append(set.Files, results[i].file())
		}
	}
	set.refuseSharedKeys()
	set.collectGroups()
	if problems := set.Problems(); len(problems) > 0 {
		return set, problems
	}
	return set, nil
}

// load reads and parses one source; false if it is no longer there.
func (l *Loader) load(ctx context.Context, src source) (parsed, bool) {
	prev := l.known[src.path]
	if prev.name != src.name {
		prev = parsed{}
	}
	unreadable := parsed{name: src.name, good: prev.lastGood()}
	if src.problem.Message != "" {
		unreadable.problems = Problems{src.problem}
		return unreadable, true
	}
	last := *prev.lastRead()
	data, v, err := l.read(ctx, src, last.version)
	switch {
	case errors.Is(err, ErrUnchanged) && last.hash != (Hash{}):
		last.version = v
		return last, true
	case src.vanished(err):
		return parsed{}, false
	case err != nil:
		unreadable.problems = Problems{src.unreadable(err)}
		return unreadable, true
	}
	return l.digest(src, data, v, &prev), true
}

// digest parses what was read of a file, unless it is what was read before.
func (l *Loader) digest(src source, data []byte, v version, prev *parsed) parsed {
	l.parsing <- struct{}{}
	defer func() { <-l.parsing }()
	data = expandEnv(data, l.opts.Env)
	hash := Hash(sha256.Sum256(data))
	if last := prev.lastRead(); last.hash == hash {
		same := *last
		same.version = v
		return same
	}
	p := parse(src.name, data, hash, prev.lastGood(), &l.opts)
	p.version = v
	return p
}

// remember keeps what became of each file. Objects that could not be listed are
// remembered as they were: they are likely to come back like that.
func (l *Loader) remember(found findings, results []parsed, present []bool) {
	before := l.known
	l.known = make(map[string]parsed, len(found.sources))
	for _, prefix := range found.unlisted {
		for path, p := range before {
			if strings.HasPrefix(path, prefix) {
				l.known[path] = p
			}
		}
	}
	for i, src := range found.sources {
		if present[i] {
			l.known[src.path] = results[i]
		} else {
			delete(l.known, src.path)
		}
	}
}

// parse reads the content of a file of which good is an earlier version without
// problems, or empty.
func parse(name string, data []byte, hash Hash, good *parsed, o *Options) parsed {
	p := parsed{name: name, hash: hash}
	d := newDecoder(name, len(data), o)
	var ok bool
	if p.pieces, ok = d.readPieces(data, good); ok {
		p.groups = d.groups
		return p
	}
	if p.groups, p.problems = decodeFile(name, data, o); len(p.problems) > 0 {
		p.good = good
	}
	return p
}

func (p parsed) file() File {
	f := File{Name: p.name, Hash: p.hash, Groups: p.groups, Read: p.groups, Problems: p.problems}
	if len(f.Problems) > 0 {
		f.Groups = nil
	}
	return f
}

// refuseSharedKeys finds groups of different files that would have the same
// identity, which happens when stripped paths leave equal file names.
func (s *Set) refuseSharedKeys() {
	taken := map[Key]bool{}
	for i := range s.Files {
		f := &s.Files[i]
		var problems Problems
		for j := range f.Groups {
			g := &f.Groups[j]
			if taken[g.Key] {
				problems = append(problems, Problem{
					File: f.Name, Line: g.Line, Group: g.Key.Name,
					Message: "another file that is shown by the same name has a group of this name",
					Hint:    "rename the group or the file, or do not strip paths",
				})
			}
			taken[g.Key] = true
		}
		if len(problems) > 0 {
			f.Groups, f.Problems = nil, problems
		}
	}
}

// collectGroups moves the groups of all files into one slice.
func (s *Set) collectGroups() {
	n := 0
	for i := range s.Files {
		n += len(s.Files[i].Groups)
	}
	s.Groups = make([]Group, 0, n)
	for i := range s.Files {
		f := &s.Files[i]
		start := len(s.Groups)
		s.Groups = append(s.Groups, f.Groups...)
		f.Groups = s.Groups[start:len(s.Groups):len(s.Groups)]
	}
}
