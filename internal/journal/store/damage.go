package store

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	damagedPrefix    = "corrupt-"
	unfinishedPrefix = "moving-" // a corrupt- folder until everything is in it
)

func isUnfinished(name string) bool { return strings.HasPrefix(name, unfinishedPrefix) }

// setAside moves all segments of the folder, which has these names in it, to a
// folder below. A crash in between must not leave some of them to be taken for
// all, so that folder has another name until it is complete. The error wraps
// ErrUnwritable.
func (s *Store) setAside(names []string, reason error) error {
	to, err := s.moveAside(names)
	if err != nil {
		return fmt.Errorf("%w: set damaged segments aside (%w): %w", ErrUnwritable, reason, err)
	}
	s.log.Error("journal is damaged and starts empty, what was there has been moved",
		"folder", s.disk.String(), "moved_to", to, "error", reason)
	return nil
}

// moveAside returns the name of the folder it has moved everything to.
func (s *Store) moveAside(names []string) (string, error) {
	slices.Sort(names)
	var from string
	if i := slices.IndexFunc(names, isUnfinished); i >= 0 {
		from = names[i]
	} else {
		from = unfinishedPrefix + unusedName(names, time.Now())
		if err := s.disk.mkdir(from); err != nil {
			return "", err
		}
		if err := s.disk.sync(); err != nil {
			return "", err
		}
	}
	for _, name := range names {
		if _, ok := parseSegmentName(name); ok {
			if err := s.disk.rename(name, from+"/"+name); err != nil {
				return "", err
			}
		}
	}
	if err := s.disk.sync(); err != nil {
		return "", err
	}
	to := damagedPrefix + strings.TrimPrefix(from, unfinishedPrefix)
	if err := s.disk.rename(from, to); err != nil {
		return "", err
	}
	return to, s.disk.sync()
}

// unusedName returns a name for now that none of the damaged folders has.
func unusedName(names []string, now time.Time) string {
	base := now.UTC().Format("20060102T150405Z")
	name := base
	for i := 2; slices.Contains(names, damagedPrefix+name); i++ {
		name = fmt.Sprintf("%s-%d", base, i)
	}
	return name
}
