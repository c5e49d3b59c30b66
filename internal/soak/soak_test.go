package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if flaw, ok := strings.CutPrefix(filepath.Base(os.Args[0]), fakePrefix); ok {
		runFake(flaw)
	}
	goleak.VerifyTestMain(m)
}

// small returns a soak that takes a second or two, and what it prints.
func small(tolerance float64) (*soak, *bytes.Buffer) {
	out := new(bytes.Buffer)
	return &soak{
		reloads: 30, size: size{files: 4, groups: 20, rules: 3},
		interval: 200 * time.Millisecond, tolerance: tolerance, out: out,
	}, out
}

// withFake has the soak measure a daemon of its own with this flaw.
func withFake(t *testing.T, s *soak, flaw string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s.tocsin = filepath.Join(t.TempDir(), fakePrefix+flaw)
	if err := os.Symlink(self, s.tocsin); err != nil {
		t.Fatal(err)
	}
}

func TestReloadsOfTocsinLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	s, out := small(0.15)
	failures, err := s.run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(failures) > 0 {
		t.Errorf("failures are %q\n%s", failures, out)
	}
	for _, figure := range []string{"heap objects", "series", "p99", "memory after"} {
		if !strings.Contains(out.String(), figure) {
			t.Errorf("no %s in what is printed:\n%s", figure, out)
		}
	}
}

func TestLeaksAreFound(t *testing.T) {
	for flaw, want := range map[string]string{
		"none": "", "heap": "heap objects: ", "goroutines": "goroutines: ", "series": "series: ",
	} {
		t.Run(flaw, func(t *testing.T) {
			t.Parallel()
			s, out := small(0.15)
			withFake(t, s, flaw)
			failures, err := s.run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if (want == "") != (len(failures) == 0) || want != "" && !strings.HasPrefix(failures[0], want) {
				t.Errorf("failures are %q\n%s", failures, out)
			}
		})
	}
}

func TestReloadsThatDoNothingAreFound(t *testing.T) {
	for flaw, want := range map[string]string{
		"careless": "reload 5: a broken file was not refused",
		"idle":     "group extra-000030 is not in force",
	} {
		t.Run(flaw, func(t *testing.T) {
			t.Parallel()
			s, _ := small(0.15)
			withFake(t, s, flaw)
			if _, err := s.run(context.Background()); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

// Both programs are the same one here, so tocsin needs as much as vmalert does.
func TestBothProgramsAreCompared(t *testing.T) {
	t.Parallel()
	s, out := small(0.15)
	withFake(t, s, "none")
	s.vmalert, s.vmalertReloads = s.tocsin, 6
	failures, err := s.run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(failures) == 0 || !strings.Contains(failures[len(failures)-1], "memory after: ") {
		t.Errorf("failures are %q\n%s", failures, out)
	}
}

func TestSoakNeedsReloadsToCompare(t *testing.T) {
	for reloads, ok := range map[int]bool{0: false, 11: false, 12: true} {
		s, _ := small(0.15)
		s.reloads = reloads
		if err := s.check(); (err == nil) != ok {
			t.Errorf("%d reloads: %v", reloads, err)
		}
	}
	s, _ := small(0.15)
	s.vmalert = "vmalert"
	if err := s.check(); err == nil {
		t.Error("no reload of vmalert is accepted")
	}
}

func TestSoakEndsWithItsContext(t *testing.T) {
	s, _ := small(0.15)
	withFake(t, s, "none")
	s.interval = time.Hour
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.run(ctx); err == nil {
		t.Error("no error")
	}
}
