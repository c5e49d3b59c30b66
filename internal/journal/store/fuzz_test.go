package store

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"time"
)

// FuzzOpenSegment opens a folder with any two segments in it.
func FuzzOpenSegment(f *testing.F) {
	r := newRig(f, Options{})
	r.commit("one", put("k", "1"), put("l", string(make([]byte, 100))))
	r.commit("two", remove("k"), Put{Key: "m", Value: r.noise(100)})
	r.restart()
	r.commit("three", put("k", "3"))
	names := r.disk.segments()
	first, second := r.disk.files[names[0]].data, r.disk.files[names[1]].data
	f.Add(first, second)
	f.Add(first, []byte{})
	f.Add(first[:blockSize+30], []byte(nil))
	f.Add(second, first)
	f.Fuzz(func(t *testing.T, first, second []byte) {
		r := newRig(t, Options{})
		r.disk.put(segmentName(1), bytes.Clone(first))
		r.disk.put(segmentName(2), bytes.Clone(second))
		if err := r.tryOpen(); err != nil {
			if !errors.Is(err, ErrVersion) {
				t.Fatal(err)
			}
			return
		}
		before, rows := r.values(), r.readAll("a")
		r.commit("more", put("more", "x"))
		before["more"] = "x"
		r.restart()
		r.wantValues(before)
		r.wantRows("a", append(rows, "more")...)
	})
}

// FuzzCommit reads a commit that is sound by its checksums, but otherwise
// anything: data is taken as bodies of frames, each after its kind and length.
func FuzzCommit(f *testing.F) {
	f.Add([]byte{byte(kindValue), 4, 1, 'k', 1, 'v', byte(kindRows), 3, 1, 1, 'r'})
	f.Add([]byte{byte(kindValue), 4, 1, 'k', 2, 'v', byte(kindMore), 1, 'w', byte(kindRemoval), 1, 'k'})
	f.Add([]byte{byte(kindRows) | packed, 6, 9, 100, 100, 0, 0, 0, byte(kindCursors), 3, 1, 'a', 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		d := newFakeDisk()
		out, _ := d.open(segmentName(1), os.O_CREATE)
		var rec record
		rec.begin(out, 1, 1, 0)
		rec.header(segmentHeader{id: 1, first: 1})
		for len(data) >= 2 {
			k, n := kind(data[0]), min(int(data[1]), len(data)-2)
			rec.openFrame()
			rec.buf = append(rec.buf, data[2:2+n]...)
			rec.closeFrame(k)
			data = data[2+n:]
		}
		if err := rec.finish(time.UnixMilli(1)); err != nil {
			t.Fatal(err)
		}
		r := newRig(t, Options{})
		r.disk = d
		r.reopen()
		if r.ledger.last == 0 {
			return // it does not count
		}
		// A chunk may still not be what it says. That is an error, and no more.
		reader := r.Reader("a")
		_, _ = reader.Next()
		_ = r.Values(func(string, []byte) error { return nil })
		r.commit("more", put("more", "x"))
	})
}
