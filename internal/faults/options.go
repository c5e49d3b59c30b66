package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"tocsin/internal/faults/plan"
	"tocsin/internal/faults/world"
)

// options says what a run of the harness is like. The same options give the same
// plan of faults and the same world.
type options struct {
	plan  plan.Options
	world world.Options // without Start

	tocsin  string // the binary; built when empty
	vmalert string // the binary to compare with; "" is none

	settle    time.Duration // most time to recover after the faults
	within    patience
	maxMemory int64  // bytes
	dir       string // for what the processes write; kept
	history   bool   // holes in ALERTS are losses
	lenient   bool   // times in which the machine itself stood still are not judged
	list      bool   // print the plan and do nothing
	verbose   bool
}

// patience is how much time without faults things may take.
type patience struct {
	evaluate, deliver time.Duration // two intervals aside
}

const (
	// evalDelay is how far evaluation times lie behind the clock.
	evalDelay = time.Second
	// resendDelay is how often a firing alert is told again. Alertmanager forgets
	// one after four times as long, which is longer than any fault.
	resendDelay = 30 * time.Second
)

// parseOptions reads the command line.
func parseOptions(args []string, output io.Writer) (*options, error) {
	o := &options{within: patience{evaluate: 2 * time.Second, deliver: 8 * time.Second}}
	fs := flag.NewFlagSet("faults", flag.ContinueOnError)
	fs.SetOutput(output)
	fs.Uint64Var(&o.plan.Seed, "seed", 1, "seed of the plan and the data; the same seed gives the same")
	fs.DurationVar(&o.plan.Duration, "duration", 6*time.Minute, "time in which there are faults")
	fs.IntVar(&o.plan.Kills, "kills", 200, "how often the daemon is killed")
	faults := fs.String("faults", "*/*", "sorts of fault, as patterns separated by commas; \"none\" is none")
	fs.BoolVar(&o.list, "list", false, "print the plan and exit")
	fs.DurationVar(&o.world.Interval, "interval", time.Second, "interval of the groups; that of every third is twice as long")
	fs.StringVar(&o.tocsin, "tocsin", "", "binary to try; built when empty")
	fs.StringVar(&o.vmalert, "vmalert", "", "binary of vmalert to try as well; none when empty")
	fs.DurationVar(&o.settle, "settle", 2*time.Minute, "most time to recover after the faults")
	memory := fs.Int64("memory", 256, "MB of resident memory that are too much")
	fs.StringVar(&o.dir, "dir", "", "folder to keep what the processes write; a temporary one when empty")
	fs.BoolVar(&o.history, "history", false, "count samples of ALERTS that are missing or wrong as lost")
	fs.BoolVar(&o.verbose, "v", false, "print each fault as it happens")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	o.maxMemory = *memory << 20
	if *faults != "none" {
		var err error
		if o.plan.Faults, err = plan.NewSet(strings.Split(*faults, ",")...); err != nil {
			return nil, err
		}
	}
	if o.world.Interval <= 0 || o.world.Interval%time.Second != 0 {
		return nil, fmt.Errorf("interval %s is not whole seconds", o.world.Interval)
	}
	if runtime.GOOS != "linux" {
		return nil, errors.New("the harness needs Linux")
	}
	o.fill()
	return o, nil
}

// fill derives how much there is in the world from how long the run is.
func (o *options) fill() {
	w, d := &o.world, o.plan.Duration
	w.Seed, w.Duration, w.Lag = o.plan.Seed, d, plan.MaxLag
	w.Pairs, w.PerGroup, w.Series = 9, 4, 3
	w.Steady = max(min(d/8, 40*time.Second), 16*time.Second)
	w.For = max(min(d/20, 15*time.Second), 2*time.Second).Truncate(time.Second)
}

// printPlan prints what would happen.
func (o *options) printPlan(w io.Writer) error {
	p, err := plan.New(o.plan)
	if err != nil {
		return err
	}
	for _, f := range p {
		fmt.Fprintf(w, "%10s  %-24s for %-8s %s\n", f.At.Round(time.Millisecond), f.Name(),
			f.Length.Round(time.Millisecond), f.Amount.Round(time.Millisecond))
	}
	return nil
}
