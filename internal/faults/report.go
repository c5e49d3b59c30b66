package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"tocsin/internal/faults/verdict"
)

// report prints what was tried and what was lost.
func report(w io.Writer, o *options, outcomes []*outcome) {
	fmt.Fprintf(w, "seed %d, %s of faults, interval %s\n", o.plan.Seed, o.plan.Duration, o.world.Interval)
	for _, out := range outcomes {
		out.report(w)
	}
	fmt.Fprintln(w)
	for _, out := range outcomes {
		fmt.Fprintf(w, "%s: lost %d\n", out.daemon, out.lost())
	}
}

func (o *outcome) report(w io.Writer) {
	fmt.Fprintf(w, "\n== %s\n\n", o.daemon)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	defer t.Flush()
	fmt.Fprintln(t, "tried\ttimes\tfor\tlongest\tsamples lost about then\t")
	for _, f := range o.tried {
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%d\t\n", f.name, f.times, round(f.total), round(f.longest), f.holes)
	}
	t.Flush()
	for _, text := range o.untried {
		fmt.Fprintln(w, "not tried:", text)
	}
	if len(o.stalls) > 0 {
		fmt.Fprintf(w, "the machine stood still %d times; alerts of that time have more time\n", len(o.stalls))
	}
	o.losses(w)
	o.figures(w)
	o.examples(w)
}

// losses prints what was demanded and what of it was lost.
func (o *outcome) losses(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	r, h := &o.records, &o.history
	fmt.Fprintln(t, "\nsamples\tdemanded\tmissing\twrong\tunfounded\tlost\t")
	fmt.Fprintf(t, "recorded\t%d\t%d\t%d\t%d\t%d\t\n", r.Expected, r.Missing, r.Wrong, r.Strange, r.Lost())
	lost := fmt.Sprint(h.Lost())
	if !o.holesCount {
		lost += " (not counted)"
	}
	fmt.Fprintf(t, "ALERTS\t%d\t%d\t%d\t\t%s\t\n", h.Expected, h.Missing, h.Wrong, lost)
	t.Flush()
	o.pageLosses(w)
	for _, text := range o.troubles {
		fmt.Fprintln(w, "lost 1:", text)
	}
	if o.tooMuch {
		fmt.Fprintln(w, "lost 1: it took too much memory")
	}
	fmt.Fprintf(w, "lost in all: %d\n", o.lost())
}

// pageLosses prints what the Alertmanagers had to be told, a column for each.
func (o *outcome) pageLosses(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name string, figure func(p *verdict.Pages) int) {
		fmt.Fprintf(t, "%s\t", name)
		for i := range o.pages {
			fmt.Fprintf(t, "%d\t", figure(&o.pages[i]))
		}
		fmt.Fprintln(t)
	}
	fmt.Fprint(t, "\nalerts\t")
	for i := range o.pages {
		fmt.Fprintf(t, "%s\t", alertmanagers[i])
	}
	fmt.Fprintln(t)
	row("firings demanded", func(p *verdict.Pages) int { return p.Demanded })
	row("ends demanded", func(p *verdict.Pages) int { return p.Ends })
	for loss := range len(verdict.Losses{}) {
		row(verdict.Loss(loss).String(), func(p *verdict.Pages) int { return p.Losses[loss] })
	}
	row("lost", (*verdict.Pages).Lost)
	t.Flush()
}

// figures prints what is no loss but worth knowing.
func (o *outcome) figures(w io.Writer) {
	fmt.Fprintf(w, "\nmemory at most %.1f MB", float64(o.memory)/(1<<20))
	if o.tooMuch {
		fmt.Fprint(w, ", which is too much")
	}
	fmt.Fprintf(w, "; %d lives; %d instant and %d range queries; %d samples stored more than once\n",
		o.lives, o.queries[0], o.queries[1], o.records.Twice)
	for i := range o.pages {
		p := &o.pages[i]
		fmt.Fprintf(w, "%s: %d firings were in no quiet long enough to be judged", alertmanagers[i], p.Unjudged)
		if p.Slowest > 0 {
			fmt.Fprintf(w, "; told within %s where nothing was in the way", round(p.Slowest))
		}
		fmt.Fprintln(w)
	}
	if len(o.counters) == 0 {
		fmt.Fprintln(w, "it counted no loss")
		return
	}
	fmt.Fprintln(w, "it counted, as far as it lived to tell:")
	for _, c := range o.counters {
		fmt.Fprintf(w, "  %s %g\n", c.Name, c.Value)
	}
}

// examples prints the first things that were lost.
func (o *outcome) examples(w io.Writer) {
	all := append([]string(nil), o.records.Examples...)
	for i := range o.pages {
		for _, text := range o.pages[i].Examples {
			all = append(all, string(alertmanagers[i])+": "+text)
		}
	}
	all = append(all, o.history.Examples...)
	if len(all) == 0 {
		return
	}
	fmt.Fprintln(w, "for example:")
	for _, text := range all {
		fmt.Fprintln(w, " ", text)
	}
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }
