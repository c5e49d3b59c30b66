package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/bmatcuk/doublestar/v4"
)

// source is one file or URL to read.
type source struct {
	path    string // what to read
	name    string // as it is shown, without secrets
	url     *url.URL
	object  *stored // not nil if it is in object storage
	globbed bool    // found by a glob or a listing: it may be gone again
	problem Problem // why it cannot be read, if that is known already
}

// remote reports whether a server is asked for the content.
func (s *source) remote() bool { return s.url != nil || s.object != nil }

// vanished reports whether err means that a file a glob found is gone, as happens
// when a volume is updated.
func (s *source) vanished(err error) bool {
	return s.globbed && errors.Is(err, fs.ErrNotExist)
}

// unreadable returns the problem of a source that could not be read. The path is
// left out of err: the name says it, without secrets.
func (s *source) unreadable(err error) Problem {
	p := Problem{File: s.name}
	if errors.Is(err, syscall.EISDIR) {
		p.Hint = "a pattern such as dir/*.yaml reads the files of a directory"
	}
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	p.Message = err.Error()
	return p
}

// findings is what the patterns stand for.
type findings struct {
	sources   []source // each path once
	unmatched []string
	// incomplete: what some pattern matches is not known.
	incomplete bool
	unlisted   []string // prefixes of objects of which that is so
}

// find resolves the patterns: in their order, and sorted within each.
func (l *Loader) find(ctx context.Context) findings {
	var f findings
	stripPath := l.opts.StripPath
	listings := l.listAll(ctx)
	seen := map[string]bool{}
	add := func(s source) {
		id := s.path
		if !s.remote() {
			if abs, err := filepath.Abs(s.path); err == nil {
				id = abs
			}
		}
		if seen[id] {
			return
		}
		seen[id] = true
		if stripPath && !s.remote() {
			s.name = filepath.Base(s.path)
		}
		s.problem.File = s.name
		f.sources = append(f.sources, s)
	}
	for i, pattern := range l.opts.Patterns {
		switch {
		case isURL(pattern):
			add(urlSource(pattern, stripPath))
		case IsLocation(pattern):
			f.objects(pattern, listings[i], add)
		case !strings.ContainsAny(pattern, `*?[{\`):
			add(source{path: pattern, name: pattern})
		default:
			paths, err := glob(pattern)
			if err != nil {
				add(source{path: pattern, name: pattern, problem: Problem{Message: err.Error()}})
				f.incomplete = true
				continue
			}
			if len(paths) == 0 {
				f.unmatched = append(f.unmatched, pattern)
			}
			for _, p := range paths {
				add(source{path: p, name: p, globbed: true})
			}
		}
	}
	numberEqualURLs(f.sources)
	return f
}

// objects adds what a listing has found.
func (f *findings) objects(pattern string, found listing, add func(source)) {
	switch {
	case found.err != nil:
		f.incomplete = true
		f.unlisted = append(f.unlisted, found.at)
	case len(found.sources) == 0:
		f.unmatched = append(f.unmatched, pattern)
	}
	for _, s := range found.sources {
		add(s)
	}
}

// glob returns the files that match, sorted. It passes over directories, and over
// what Kubernetes keeps behind a mounted volume in names that begin with two dots,
// unless the pattern asks for them: every file would be read several times.
func glob(pattern string) ([]string, error) {
	matches, err := doublestar.FilepathGlob(pattern, doublestar.WithFailOnIOErrors())
	if err != nil {
		return nil, fmt.Errorf("resolve the pattern: %w", err)
	}
	internal := hasInternalName(pattern)
	files := slices.DeleteFunc(matches, func(p string) bool {
		if !internal && hasInternalName(p) {
			return true
		}
		info, err := os.Stat(p)
		// What cannot be examined is left to reading, which says why.
		return err == nil && !info.Mode().IsRegular()
	})
	slices.Sort(files)
	return slices.Compact(files), nil
}

func hasInternalName(p string) bool {
	for name := range strings.SplitSeq(filepath.ToSlash(p), "/") {
		if len(name) > 2 && strings.HasPrefix(name, "..") {
			return true
		}
	}
	return false
}

func isURL(pattern string) bool {
	return strings.HasPrefix(pattern, "http://") || strings.HasPrefix(pattern, "https://")
}

// urlSource shows a URL without user, query and fragment, which may be secrets.
func urlSource(raw string, stripPath bool) source {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		scheme, _, _ := strings.Cut(raw, ":")
		return source{path: raw, name: scheme + "://", problem: Problem{Message: "not a valid URL"}}
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	s := source{path: raw, url: u, name: shown.String()}
	if stripPath {
		s.name = path.Base(u.Path)
	}
	return s
}

// numberEqualURLs tells apart URLs that differ only in what is not shown: the
// names of files are a part of their groups' identity.
func numberEqualURLs(sources []source) {
	uses := map[string]int{}
	for i := range sources {
		s := &sources[i]
		if s.url == nil {
			continue
		}
		uses[s.name]++
		if n := uses[s.name]; n > 1 {
			s.name = fmt.Sprintf("%s#%d", s.name, n)
			s.problem.File = s.name
		}
	}
}
