// Command soak reloads tocsin hundreds of times while it evaluates, and then the
// vmalert of the Debian package victoria-metrics for comparison, each as a whole
// process beside a stub that is datasource, remote storage and Alertmanager at
// once. Each reload alters one rule in every file, adds a group and removes
// one; each tenth is refused because a file is broken.
//
// It prints what a reload costs in both, and what tocsin holds on to early and
// late. It fails if that grew, or if a budget is exceeded.
//
//	go run ./internal/soak [-reloads n] [-vmalert path]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"tocsin/internal/bench/daemon"
)

func main() {
	s := soak{tolerance: 0.01, out: os.Stdout}
	flag.StringVar(&s.tocsin, "tocsin", "", "binary to soak; built when empty")
	flag.StringVar(&s.vmalert, "vmalert", "vmalert", "binary to compare with; empty for none")
	flag.IntVar(&s.reloads, "reloads", 500, "reloads of tocsin")
	flag.IntVar(&s.vmalertReloads, "vmalertReloads", 20, "reloads of vmalert")
	flag.IntVar(&s.size.files, "files", 100, "rule files")
	flag.IntVar(&s.size.groups, "groups", 1000, "groups in all files together")
	flag.IntVar(&s.size.rules, "rules", 10, "rules in each group")
	flag.DurationVar(&s.interval, "interval", 30*time.Second, "between evaluations of a group")
	flag.StringVar(&s.profile, "cpuprofile", "", "file for a CPU profile of tocsin during the later reloads")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	failures, err := s.run(ctx)
	stop()
	if err != nil {
		failures = append(failures, err.Error())
	}
	for _, f := range failures {
		fmt.Fprintln(os.Stderr, "soak:", f)
	}
	if len(failures) > 0 {
		os.Exit(1)
	}
}

// soak is one run of the program.
type soak struct {
	tocsin, vmalert         string
	reloads, vmalertReloads int
	size                    size
	interval                time.Duration
	tolerance               float64 // of the live heap, as a part of it
	profile                 string
	out                     io.Writer
}

// run soaks both programs, prints the figures and returns what is not as it
// must be. With an error there is no telling.
func (s *soak) run(ctx context.Context) (failures []string, err error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "tocsin-soak")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if s.tocsin, err = daemon.Tocsin(s.tocsin, dir); err != nil {
		return nil, err
	}
	ours, err := s.trial(ctx, dir, tocsin(s))
	if err != nil {
		return nil, fmt.Errorf("tocsin: %w", err)
	}
	failures = s.reportHeld(ours)
	if s.vmalert == "" {
		return append(failures, s.reportCosts(ours.costs, costs{})...), nil
	}
	if s.vmalert, err = daemon.Vmalert(s.vmalert); err != nil {
		return failures, err
	}
	theirs, err := s.trial(ctx, dir, vmalert(s))
	if err != nil {
		return failures, fmt.Errorf("vmalert: %w", err)
	}
	return append(failures, s.reportCosts(ours.costs, theirs.costs)...), nil
}

// check returns an error if there would be nothing to compare.
func (s *soak) check() error {
	if least := 2 * (refusedFirst + 1); s.reloads < least {
		return fmt.Errorf("-reloads must be at least %d", least)
	}
	if s.vmalert != "" && s.vmalertReloads < 1 {
		return errors.New("-vmalertReloads must be at least 1")
	}
	return s.size.check()
}
