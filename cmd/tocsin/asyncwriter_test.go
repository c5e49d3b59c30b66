package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/synctest"
)

func TestLogIsWrittenInOrderAndWhole(t *testing.T) {
	var out bytes.Buffer
	w := newAsyncWriter(&out)
	var want strings.Builder
	for range 1000 {
		for _, line := range []string{"one\n", "two\n"} {
			want.WriteString(line)
			_, _ = io.WriteString(w, line)
		}
	}
	w.close()
	if out.String() != want.String() {
		t.Errorf("%d bytes written, want %d", out.Len(), want.Len())
	}
}

func TestLogThatNobodyReadsStopsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, out := io.Pipe()
		w := newAsyncWriter(out)
		line := strings.Repeat("x", 1023) + "\n"
		const lines = 3000
		for range lines {
			if n, err := io.WriteString(w, line); n != len(line) || err != nil {
				t.Fatalf("wrote %d bytes, %v", n, err)
			}
		}
		lost := w.lost()
		if lost == 0 || lost >= lines {
			t.Fatalf("%d of %d messages dropped", lost, lines)
		}
		var text []byte
		read := make(chan struct{})
		go func() { text, _ = io.ReadAll(in); close(read) }()
		w.close()
		_ = out.Close()
		<-read
		if got := strings.Count(string(text), line); got != lines-lost {
			t.Errorf("%d messages read, want %d", got, lines-lost)
		}
		if !strings.Contains(string(text), "log messages were dropped") {
			t.Error("nothing says that messages are missing")
		}
	})
}

func TestEndDoesNotWaitForAReaderOfTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, out := io.Pipe()
		w := newAsyncWriter(out)
		_, _ = io.WriteString(w, "unread\n")
		w.close() // returns after a second of the bubble's time
		_ = in.Close()
		<-w.done
	})
}
