//go:build unix

package store

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestOnlyTheOwnerMayReadWhatIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made")
	for range 2 {
		s, err := Open(onDisk(path))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Commit([]Put{put("k", "v")}, nil, 0); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		// The second time, everything is set aside.
		next := appendSegmentHeader(nil, segmentHeader{id: 9, prev: 1, prevEnd: blockSize, first: 1})
		for name, data := range map[string][]byte{segmentName(1): []byte("no segment"), segmentName(9): next} {
			if err := os.WriteFile(filepath.Join(path, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	kinds := map[bool]int{}
	err := filepath.WalkDir(path, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %s", name, info.Mode())
		}
		kinds[e.IsDir()]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if kinds[true] != 2 || kinds[false] < 3 {
		t.Errorf("looked at %d folders and %d files, want the folder, one set aside, the lock and segments in both", kinds[true], kinds[false])
	}
}
