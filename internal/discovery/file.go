package discovery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
	"tocsin/config/notifiers"
)

const (
	// fileInterval is the usual pause between looks at files: they cost little.
	fileInterval = 5 * time.Second
	// maxListSize bounds a file or answer with targets, in bytes.
	maxListSize = 16 << 20
)

// files finds what is listed in files. A file that is gone takes its targets along;
// one that cannot be read or understood does not, nor do those in a directory that
// cannot be read.
type files struct {
	patterns []string
	matches  [][]string // of each pattern, when it was last resolved with success
	parts    *parts
	tally    *tally
}

func newFiles(f *notifiers.File, t *tally) source {
	s := &files{
		patterns: f.Patterns, matches: make([][]string, len(f.Patterns)),
		parts: newParts(), tally: t,
	}
	return &poll{every: defaulted(f.Refresh, 0, fileInterval), look: s.look}
}

func (s *files) look(context.Context) view {
	unresolved := s.resolve()
	names := slices.Concat(s.matches...)
	slices.Sort(names)
	names = slices.Compact(names)
	s.parts.keep(names)
	for _, name := range names {
		targets, err := readTargets(name)
		s.tally.count(err)
		s.parts.set(name, targets, err)
	}
	v := s.parts.view()
	if unresolved != nil {
		v.known, v.err = false, errors.Join(unresolved, v.err)
	}
	return v
}

// resolve looks for the files that match. The error says for which patterns that
// fails; what has matched them before still does.
func (s *files) resolve() error {
	var errs []error
	for i, pattern := range s.patterns {
		matches, err := glob(pattern)
		if err != nil {
			err = fmt.Errorf("resolve the pattern %s: %w", pattern, err)
			s.tally.count(err)
			errs = append(errs, err)
			continue
		}
		s.matches[i] = matches
	}
	return errors.Join(errs...)
}

// readTargets returns what a file lists. Its errors name the file.
func readTargets(name string) ([]labels.Labels, error) {
	data, err := readLimited(name)
	if err != nil {
		return nil, fmt.Errorf("read targets: %w", err)
	}
	var groups []config.TargetGroup
	if strings.EqualFold(filepath.Ext(name), ".json") {
		if groups, err = parseJSON(data); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	} else if groups, err = config.ParseTargetGroups(name, data); err != nil {
		return nil, err
	}
	return targetsOf(groups, filepathLabel, name), nil
}

func readLimited(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxListSize+1))
	if err == nil && len(data) > maxListSize {
		err = fmt.Errorf("%s: larger than %d bytes", name, maxListSize)
	}
	return data, err
}
