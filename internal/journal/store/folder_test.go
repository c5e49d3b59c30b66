package store

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metrics"
)

func onDisk(path string) Options {
	return Options{
		Path: path, Targets: []string{"a"}, SegmentBytes: minSegmentBytes,
		Metrics: metrics.NewSet(), Log: slog.New(slog.DiscardHandler),
	}
}

func TestRealFolderKeepsWhatIsCommitted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "on", "the", "way")
	noise := newRig(t, Options{})
	for run := range 3 {
		s, err := Open(onDisk(path))
		if err != nil {
			t.Fatal(err)
		}
		if run > 0 {
			reader := s.Reader("a")
			b, err := reader.Next()
			if err != nil || string(b.Rows) != "rows" {
				t.Errorf("read %q and %v", b.Rows, err)
			}
			if _, err := reader.Next(); err != io.EOF {
				t.Errorf("error is %v, want io.EOF", err)
			}
			reader.Close()
			s.Settle("a", b.Seq)
		}
		for range 10 { // so that segments are begun and removed
			if _, err := s.Commit([]Put{put("cold", "x"), {"hot", noise.noise(20_000)}}, nil, 0); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Commit(nil, []byte("rows"), 4); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, ok := parseSegmentName(e.Name()); !ok && e.Name() != lockName {
			t.Errorf("%s is in the folder", e.Name())
		}
	}
}

func TestFolderIsForOneStoreAtATime(t *testing.T) {
	path := t.TempDir()
	first, err := Open(onDisk(path))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(onDisk(path))
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), path) {
		t.Errorf("error is %v, want ErrLocked with the folder", err)
	}
	if _, err := first.Commit([]Put{put("k", "v")}, nil, 0); err != nil {
		t.Errorf("the first store: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := Open(onDisk(path))
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}

func TestFailedOpenReleasesTheLock(t *testing.T) {
	path := t.TempDir()
	name := filepath.Join(path, segmentName(1))
	if err := os.WriteFile(name, []byte(magic+"\x09\x00\x00\x00 unknown"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(onDisk(path)); !errors.Is(err, ErrVersion) {
		t.Fatalf("error is %v, want ErrVersion", err)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	s, err := Open(onDisk(path))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestFolderThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	forbidden := filepath.Join(dir, "forbidden")
	if err := os.Mkdir(forbidden, 0o500); err != nil {
		t.Fatal(err)
	}
	paths := []string{file, filepath.Join(file, "below"), filepath.Join(dir, "zero\x00")}
	if os.Getuid() != 0 {
		paths = append(paths, forbidden, filepath.Join(forbidden, "below"))
	}
	for _, path := range paths {
		if _, err := Open(onDisk(path)); !errors.Is(err, ErrUnwritable) || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: error is %v, want ErrUnwritable with the folder", path, err)
		}
	}
}

func TestDamageInARealFolderIsMovedAside(t *testing.T) {
	path := t.TempDir()
	name := segmentName(1)
	if err := os.WriteFile(filepath.Join(path, name), []byte(strings.Repeat("x", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, segmentName(3)), appendSegmentHeader(nil, segmentHeader{id: 3, prev: 1, prevEnd: blockSize, first: 1}), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(onDisk(path))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if found, _ := filepath.Glob(filepath.Join(path, "corrupt-*", name)); len(found) != 1 {
		t.Errorf("found %q aside, want %s", found, name)
	}
}
