// Command bench compares tocsin with the vmalert of the Debian package
// victoria-metrics, as whole processes and one after the other, against one stub
// that is datasource, remote storage and Alertmanager at once. It prints CPU
// time, resident memory and elapsed time of both and their ratio, and what
// tocsin's journal adds.
//
//	go run ./internal/bench [-run regexp] [-seconds n]
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"time"

	"tocsin/internal/bench/daemon"
)

func main() {
	var b bench
	run := flag.String("run", ".", "run the scenarios whose name matches")
	seconds := flag.Int("seconds", 40, "seconds to measure steady work for")
	flag.StringVar(&b.tocsin, "tocsin", "", "binary to measure; built when empty")
	flag.StringVar(&b.vmalert, "vmalert", "vmalert", "binary to compare with; empty for none")
	flag.StringVar(&b.profile, "cpuprofile", "", "folder for a CPU profile of tocsin per scenario")
	flag.Parse()
	b.measure = time.Duration(*seconds) * time.Second
	if err := b.main(*run); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run of the program.
type bench struct {
	tocsin, vmalert string
	profile         string
	measure         time.Duration
	dir             string
}

func (b *bench) main(pattern string) error {
	match, err := regexp.Compile(pattern)
	if err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "tocsin-bench"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if err := b.binaries(); err != nil {
		return err
	}
	fmt.Printf("%-34s %-10s %10s %10s %7s %s\n", "work", "figure", "tocsin", "vmalert", "ratio", "budget")
	for _, s := range scenarios {
		if !match.MatchString(s.name) {
			continue
		}
		if err := b.compare(s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// binaries builds tocsin if need be and finds vmalert.
func (b *bench) binaries() (err error) {
	if b.tocsin, err = daemon.Tocsin(b.tocsin, b.dir); err != nil || b.vmalert == "" {
		return err
	}
	b.vmalert, err = daemon.Vmalert(b.vmalert)
	return err
}

// compare measures both programs at one scenario and prints the figures.
func (b *bench) compare(s scenario) error {
	ours, err := b.runOne(s, subject{path: b.tocsin, ours: true})
	if err != nil {
		return fmt.Errorf("tocsin: %w", err)
	}
	var theirs figures
	if b.vmalert != "" {
		if theirs, err = b.runOne(s, subject{path: b.vmalert}); err != nil {
			return fmt.Errorf("vmalert: %w", err)
		}
	}
	print := func(figure, unit string, a, c, budget float64) {
		if budget == 0 {
			return
		}
		ratio := "-"
		if c > 0 {
			ratio = fmt.Sprintf("%.3f", a/c)
		}
		fmt.Printf("%-34s %-10s %8.2f%2s %8.2f%2s %7s < %.2f\n", s.name, figure, a, unit, c, unit, ratio, budget)
	}
	print("CPU", "s", ours.cpu.Seconds(), theirs.cpu.Seconds(), s.budget.cpu)
	print("memory", "MB", ours.memory/1e6, theirs.memory/1e6, s.budget.memory)
	print("time", "ms", ms(ours.elapsed), ms(theirs.elapsed), s.budget.elapsed)
	fmt.Printf("%-34s %-10s tocsin %s; vmalert %s\n", s.name, "done", ours.done, theirs.done)
	if s.kind == steady {
		return b.compareJournal(s, ours)
	}
	return nil
}

// What the journal may cost at most.
const (
	journalCPU  = 1.15 // of the CPU time without it
	journalDisk = 64e6 // bytes
)

// compareJournal measures s without the journal, which with is with.
func (b *bench) compareJournal(s scenario, with figures) error {
	without, err := b.runOne(s, subject{path: b.tocsin, ours: true, args: []string{"-storage.path="}})
	if err != nil {
		return fmt.Errorf("tocsin without journal: %w", err)
	}
	fmt.Printf("%-34s %-10s %8.2f s %8.2f s %7.3f < %.2f (without)\n", s.name, "journal",
		with.cpu.Seconds(), without.cpu.Seconds(), float64(with.cpu)/float64(without.cpu), journalCPU)
	fmt.Printf("%-34s %-10s %8.2fMB %8.2fMB\n", s.name, "memory", with.memory/1e6, without.memory/1e6)
	fmt.Printf("%-34s %-10s %8.2fMB %18s < %.0f MB\n", s.name, "disk", with.disk/1e6, "", journalDisk/1e6)
	return nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
