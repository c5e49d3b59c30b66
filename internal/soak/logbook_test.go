package main

import (
	"fmt"
	"strings"
	"testing"
)

func write(t *testing.T, l *logbook, text string) {
	t.Helper()
	if n, err := l.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("wrote %d of %d bytes: %v", n, len(text), err)
	}
}

func TestLineThatComesInPartsIsFoundWhenItIsComplete(t *testing.T) {
	var l logbook
	write(t, &l, "reload done too early\n")
	line := l.await("reload done", "reload refused")
	write(t, &l, "something else\n12:00 reload ref")
	if len(line) > 0 {
		t.Fatalf("found %q", <-line)
	}
	write(t, &l, "used\nreload done\n")
	if got, want := <-line, "12:00 reload refused"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
	if next := l.await("reload done"); len(next) > 0 {
		t.Errorf("a line of the past was found: %q", <-next)
	}
}

func TestLogbookKeepsTheEnd(t *testing.T) {
	var l logbook
	for i := range 3 * keptLines {
		write(t, &l, fmt.Sprintf("line %d\n", i))
	}
	lines := strings.Split(l.end(), "\n")
	if len(lines) != keptLines || lines[0] != "line 40" || lines[keptLines-1] != "line 59" {
		t.Errorf("kept %d lines: %q", len(lines), lines)
	}
}
