package discovery

import (
	"context"
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
// one that cannot be read or understood does not.
type files struct {
	patterns []string
	parts    *parts
	tally    *tally
}

func newFiles(f *notifiers.File, t *tally) source {
	s := &files{patterns: f.Patterns, parts: newParts(), tally: t}
	return &poll{every: defaulted(f.Refresh, 0, fileInterval), look: s.look}
}

func (s *files) look(context.Context) view {
	var names []string
	for _, pattern := range s.patterns {
		// The only error is that of a pattern, which is checked when it is read.
		matches, _ := filepath.Glob(pattern)
		names = append(names, matches...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	s.parts.keep(names)
	for _, name := range names {
		targets, err := readTargets(name)
		s.tally.count(err)
		s.parts.set(name, targets, err)
	}
	return s.parts.view()
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
