package store

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// fakeDisk is a folder in memory that tells what is durable from what is not, and
// fails on demand.
type fakeDisk struct {
	files   map[string]*fakeFile // as processes see them
	durable map[string]*fakeFile // as a power cut leaves them
	folders map[string]bool
	random  *rand.Rand
	fail    func(op, name string) error // nil, or asked before each operation
	room    int                         // bytes that can still be written
	syncs   int
}

// fakeFile is a file of a fakeDisk.
type fakeFile struct {
	disk *fakeDisk
	name string
	data []byte
	kept []byte         // what is durable of data
	open map[int64]bool // blocks that were written since the last sync
}

const plenty = math.MaxInt32

func newFakeDisk() *fakeDisk {
	return &fakeDisk{
		files: map[string]*fakeFile{}, durable: map[string]*fakeFile{}, folders: map[string]bool{},
		random: rand.New(rand.NewPCG(1, 2)), room: plenty,
	}
}

func (d *fakeDisk) String() string { return "fake" }

func (d *fakeDisk) failure(op, name string) error {
	if d.fail == nil {
		return nil
	}
	return d.fail(op, name)
}

func (d *fakeDisk) list() ([]string, error) {
	if err := d.failure("list", ""); err != nil {
		return nil, err
	}
	var names []string
	for name := range d.files {
		if !strings.Contains(name, "/") {
			names = append(names, name)
		}
	}
	names = slices.AppendSeq(names, maps.Keys(d.folders))
	d.random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	return names, nil
}

func (d *fakeDisk) open(name string, flags int) (file, error) {
	op := "open"
	if flags&os.O_CREATE != 0 {
		op = "create"
	}
	if err := d.failure(op, name); err != nil {
		return nil, err
	}
	f, exists := d.files[name]
	switch {
	case exists && op == "create":
		return nil, fs.ErrExist
	case !exists && op == "open":
		return nil, fs.ErrNotExist
	case !exists:
		f = &fakeFile{disk: d, name: name, open: map[int64]bool{}}
		d.files[name] = f
	}
	return f, nil
}

func (d *fakeDisk) remove(name string) error {
	if err := d.failure("remove", name); err != nil {
		return err
	}
	if _, ok := d.files[name]; !ok {
		return fs.ErrNotExist
	}
	delete(d.files, name)
	return nil
}

func (d *fakeDisk) mkdir(name string) error {
	if err := d.failure("mkdir", name); err != nil {
		return err
	}
	d.folders[name] = true
	return nil
}

func (d *fakeDisk) rename(from, to string) error {
	if err := d.failure("rename", from); err != nil {
		return err
	}
	if d.folders[from] {
		delete(d.folders, from)
		d.folders[to] = true
		for name, f := range d.files {
			if rest, ok := strings.CutPrefix(name, from+"/"); ok {
				delete(d.files, name)
				d.files[to+"/"+rest] = f
			}
		}
		return nil
	}
	d.files[to] = d.files[from]
	delete(d.files, from)
	return nil
}

func (d *fakeDisk) sync() error {
	d.syncs++
	if err := d.failure("syncfolder", ""); err != nil {
		return err
	}
	d.durable = maps.Clone(d.files)
	return nil
}

// powerCut returns the disk as it may be after the power has failed: names and
// blocks that were not synced are as they were, or not.
func (d *fakeDisk) powerCut() *fakeDisk {
	after := newFakeDisk()
	after.random = d.random
	names := maps.Clone(d.durable)
	maps.Copy(names, d.files)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		now, before := d.files[name], d.durable[name]
		f := now
		if now != before && d.random.IntN(2) == 0 {
			f = before
		}
		if f != nil {
			after.put(name, f.afterPowerCut(d.random))
		}
	}
	return after
}

// put makes a file that is durable.
func (d *fakeDisk) put(name string, data []byte) {
	f := &fakeFile{disk: d, name: name, data: data, kept: bytes.Clone(data), open: map[int64]bool{}}
	d.files[name], d.durable[name] = f, f
}

// clone returns a disk with copies of the files, all durable.
func (d *fakeDisk) clone() *fakeDisk {
	c := newFakeDisk()
	for name, f := range d.files {
		c.put(name, bytes.Clone(f.data))
	}
	maps.Copy(c.folders, d.folders)
	return c
}

// segments returns the names of the segments in order.
func (d *fakeDisk) segments() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		if _, ok := parseSegmentName(name); ok {
			names = append(names, name)
		}
	}
	return names
}

// bytes returns the length of all segments.
func (d *fakeDisk) bytes() (n int64) {
	for _, name := range d.segments() {
		n += int64(len(d.files[name].data))
	}
	return n
}

func (f *fakeFile) Close() error { return nil }

func (f *fakeFile) Size() (int64, error) { return int64(len(f.data)), nil }

func (f *fakeFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.disk.failure("read", f.name); err != nil {
		return 0, err
	}
	n := copy(p, f.data[min(off, int64(len(f.data))):])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *fakeFile) WriteAt(p []byte, off int64) (int, error) {
	err := f.disk.failure("write", f.name)
	if err != nil {
		p = p[:f.disk.random.IntN(len(p)+1)]
	}
	if len(p) > f.disk.room {
		p, err = p[:f.disk.room], syscall.ENOSPC
	}
	f.disk.room -= len(p)
	if end := int(off) + len(p); end > len(f.data) {
		f.data = append(f.data, make([]byte, end-len(f.data))...)
	}
	copy(f.data[off:], p)
	for b := off / blockSize; b*blockSize < off+int64(len(p)); b++ {
		f.open[b] = true
	}
	return len(p), err
}

func (f *fakeFile) Truncate(size int64) error {
	if err := f.disk.failure("truncate", f.name); err != nil {
		return err
	}
	f.data = f.data[:size]
	maps.DeleteFunc(f.open, func(b int64, _ bool) bool { return b*blockSize >= size })
	return nil
}

// Sync is like that of Linux: when it fails, what was to be written counts as
// written.
func (f *fakeFile) Sync() error {
	f.disk.syncs++
	if err := f.disk.failure("sync", f.name); err != nil {
		f.kept = f.afterPowerCut(f.disk.random)
		clear(f.open)
		return err
	}
	f.kept = append(f.kept[:min(len(f.kept), len(f.data))], f.data[min(len(f.kept), len(f.data)):]...)
	for b := range f.open {
		copy(f.kept[b*blockSize:], f.data[b*blockSize:min((b+1)*blockSize, int64(len(f.data)))])
	}
	clear(f.open)
	return nil
}

// afterPowerCut returns what may be on disk when the last sync has not ended.
func (f *fakeFile) afterPowerCut(random *rand.Rand) []byte {
	size := len(f.kept)
	if d := len(f.data) - size; d > 0 {
		size += random.IntN(d + 1)
	} else if d < 0 && random.IntN(2) == 0 {
		size = len(f.data)
	}
	left := make([]byte, size)
	copy(left, f.kept)
	for b := range f.open {
		if from := int(b * blockSize); from < size && random.IntN(2) == 0 {
			copy(left[from:min(from+blockSize, size)], f.data[from:min(from+blockSize, len(f.data))])
		}
	}
	return left
}

func TestFakeDiskLosesWhatIsNotSynced(t *testing.T) {
	d := newFakeDisk()
	f, _ := d.open("a", os.O_CREATE)
	if _, err := f.WriteAt([]byte("x"), 0); err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{} // 0: no file, 1: empty, 2: written
	for range 100 {
		switch after := d.powerCut().files["a"]; {
		case after == nil:
			seen[0] = true
		case len(after.data) == 0 || after.data[0] == 0:
			seen[1] = true
		default:
			seen[2] = true
		}
	}
	if len(seen) != 3 {
		t.Errorf("a power cut leaves %v, want it to leave anything", seen)
	}
}
