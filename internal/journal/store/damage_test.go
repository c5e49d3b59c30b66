package store

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// aged returns a store of three segments, the last of which has been closed.
func aged(t *testing.T) *rig {
	r := newRig(t, Options{Targets: []string{"a"}})
	for _, value := range []string{"1", "2", "3"} {
		r.commit("rows "+value, put("k", value), put("k"+value, strings.Repeat(value, 300)))
		r.commit("more "+value, put("l", string(r.noise(100))))
		r.restart()
	}
	if got := len(r.disk.segments()); got != 3 {
		t.Fatalf("%d segments, want 3", got)
	}
	return r
}

func TestDamageInTheMiddleStartsEmptyAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := aged(t)
		names := r.disk.segments()
		r.disk.files[names[1]].data[blockSize+40] ^= 0x10
		r.book.messages(slog.LevelError)
		r.reopen()
		r.wantValues(map[string]string{})
		r.wantRows("a")
		if got := r.book.messages(slog.LevelError); len(got) != 1 {
			t.Errorf("logged %q, want one error", got)
		}
		if got := r.disk.segments(); len(got) != 0 {
			t.Errorf("segments %q are still there", got)
		}
		const aside = "corrupt-20000101T000000Z"
		for _, name := range names {
			if r.disk.durable[aside+"/"+name] == nil {
				t.Errorf("%s is not in %s", name, aside)
			}
		}
		if got := r.commit("new", put("k", "new")); got != 1 {
			t.Errorf("commit is number %d, want 1", got)
		}
		r.restart()
		r.wantValues(map[string]string{"k": "new"})

		// A second time at the same second.
		r.disk.files[r.disk.segments()[0]].data[20] ^= 1
		r.reopen()
		want := map[string]bool{aside: true, aside + "-2": true}
		if diff := cmp.Diff(want, r.disk.folders); diff != "" {
			t.Errorf("folders (-want +got):\n%s", diff)
		}
	})
}

// Whatever bit flips, it is found, unless it is in padding or in the commit that
// was under way, as far as anybody can tell.
func TestFlippedBitIsFound(t *testing.T) {
	r := aged(t)
	values, rows := r.values(), r.readAll("a")
	whole := r.disk.clone()
	names := r.disk.segments()
	for _, name := range names {
		used, last := extent(t, whole.files[name])
		for at := range whole.files[name].data {
			sound := at >= segmentHeaderSize && !used[at] || name == names[2] && at >= last
			if sound && at%53 > 0 {
				continue // one place is like the other
			}
			r.disk = whole.clone()
			r.disk.files[name].data[at] ^= 1 << (at % 8)
			err := r.tryOpen()
			if at >= 8 && at < 12 && errors.Is(err, ErrVersion) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if moved := len(r.disk.folders) > 0; moved == sound {
				t.Fatalf("%s, offset %d: moved is %v", name, at, moved)
			}
			if sound {
				r.wantValues(values)
				r.wantRows("a", rows...)
			} else {
				r.wantValues(map[string]string{})
				r.wantRows("a")
			}
		}
	}
}

// extent returns which bytes of a segment are in frames, and where its last commit
// begins.
func extent(t *testing.T, f *fakeFile) (used map[int]bool, last int) {
	id, _ := parseSegmentName(f.name)
	used = map[int]bool{}
	var in frames
	for at := int64(blockSize); at < int64(len(f.data)); {
		in.reset(f, id, at, int64(len(f.data)))
		fr, err := in.next()
		if err != nil {
			t.Fatal(err)
		}
		for i := range fr.size {
			used[int(at)+i] = true
		}
		if at%blockSize == 0 {
			last = int(at)
		}
		if at += int64(fr.size); fr.kind == kindEnd {
			at = aligned(at)
		}
	}
	return used, last
}

func TestMissingSegmentIsDamage(t *testing.T) {
	for i, name := range aged(t).disk.segments() {
		r := aged(t)
		delete(r.disk.files, name)
		r.reopen()
		moved := len(r.disk.folders) > 0
		// The oldest is missing whenever it was not needed, and that the newest was
		// there nobody knows.
		if want := i == 1; moved != want {
			t.Errorf("without segment %d: moved is %v, want %v", i, moved, want)
		}
	}
}

func TestShortenedSegmentIsDamage(t *testing.T) {
	r := aged(t)
	f := r.disk.files[r.disk.segments()[1]]
	f.data = f.data[:len(f.data)-blockSize]
	r.reopen()
	if len(r.disk.folders) != 1 {
		t.Errorf("folders are %v, want one", r.disk.folders)
	}
}

func TestRenamedSegmentIsDamage(t *testing.T) {
	r := aged(t)
	names := r.disk.segments()
	r.disk.files[names[0]], r.disk.files[names[1]] = r.disk.files[names[1]], r.disk.files[names[0]]
	r.reopen()
	if len(r.disk.folders) != 1 {
		t.Errorf("folders are %v, want one", r.disk.folders)
	}
}

func TestUnreadableSegmentIsDamage(t *testing.T) {
	r := aged(t)
	bad := r.disk.segments()[0]
	r.disk.fail = func(op, name string) error {
		if op == "read" && name == bad {
			return errors.New("input/output error")
		}
		return nil
	}
	r.reopen()
	if len(r.disk.folders) != 1 {
		t.Errorf("folders are %v, want one", r.disk.folders)
	}
}

func TestForbiddenSegmentIsNoDamage(t *testing.T) {
	r := aged(t)
	r.disk.fail = func(op, _ string) error {
		if op == "open" {
			return fs.ErrPermission
		}
		return nil
	}
	if err := r.tryOpen(); !errors.Is(err, ErrUnwritable) {
		t.Errorf("error is %v, want ErrUnwritable", err)
	}
	if len(r.disk.folders) > 0 {
		t.Error("segments were moved")
	}
}

func TestLaterVersionIsLeftAlone(t *testing.T) {
	r := aged(t)
	names := r.disk.segments()
	binary.LittleEndian.PutUint32(r.disk.files[names[2]].data[8:], 7)
	r.disk.files[names[0]].data[blockSize+40] ^= 0x10 // nothing is done about that now
	before := r.disk.clone()
	err := r.tryOpen()
	if !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "format 7") {
		t.Fatalf("error is %v, want ErrVersion with the version", err)
	}
	for _, name := range names {
		if !slices.Equal(before.files[name].data, r.disk.files[name].data) {
			t.Errorf("%s was changed", name)
		}
	}
}

// While segments are moved aside the power may fail, or the disk.
func TestMovingAsideIsFinishedLater(t *testing.T) {
	for failing := 1; ; failing++ {
		r := aged(t)
		r.disk.files[r.disk.segments()[2]].data[blockSize+40] ^= 0x10
		n := 0
		r.disk.fail = func(op, _ string) error {
			if op != "mkdir" && op != "rename" && op != "syncfolder" {
				return nil
			}
			if n++; n == failing {
				return errors.New("disk fails")
			}
			return nil
		}
		if r.tryOpen() == nil {
			if failing < 5 {
				t.Fatalf("only %d steps", failing)
			}
			return
		}
		r.disk.fail = nil
		r.reopen()
		r.wantValues(map[string]string{})
		folders := slices.Collect(maps.Keys(r.disk.folders))
		for _, f := range folders {
			if !strings.HasPrefix(f, damagedPrefix) {
				t.Errorf("after failure %d: folder %s is left", failing, f)
			}
		}
	}
}

// What cannot be read is not what a crash has cut short.
func TestUnreadableEndIsDamage(t *testing.T) {
	r := aged(t)
	newest, reads := r.disk.segments()[2], 0
	r.disk.fail = func(op, name string) error {
		if op == "read" && name == newest {
			if reads++; reads > 1 { // the first is of the header
				return errIO
			}
		}
		return nil
	}
	r.reopen()
	if len(r.disk.folders) != 1 {
		t.Errorf("folders are %v, want one", r.disk.folders)
	}
}
