package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"time"

	"tocsin/internal/bench/daemon"
)

// held is what a daemon holds on to when its garbage is collected.
type held struct {
	objects, bytes int // of the heap
	goroutines     int // but those of connections
	connections    int // goroutines of idle HTTP connections, two for each
	// series is how many there are at /metrics of each metric. Evaluations do not
	// change that.
	series map[string]int
}

// least returns the lesser of each figure of h and a later sample, o.
func (h held) least(o held) held {
	return held{
		objects: min(h.objects, o.objects), bytes: min(h.bytes, o.bytes),
		goroutines: min(h.goroutines, o.goroutines), connections: min(h.connections, o.connections),
		series: o.series,
	}
}

// seriesCount returns how many series there are of all metrics.
func (h held) seriesCount() int {
	n := 0
	for _, c := range h.series {
		n += c
	}
	return n
}

// otherSeries returns the metrics of which h and o have not as many series.
func (h held) otherSeries(o held) []string {
	names := map[string]bool{}
	for name := range h.series {
		names[name] = true
	}
	for name := range o.series {
		names[name] = true
	}
	var other []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if h.series[name] != o.series[name] {
			other = append(other, name)
		}
	}
	return other
}

// heldSamples is how many samples are taken. Evaluations go on, and what they
// hold for the moment is no leak, so the least counts.
const heldSamples = 10

// holds returns what the process holds on to once every group has been evaluated
// since the last reload: an evaluation leaves more than is handed over.
func (t *trial) holds(ctx context.Context) (held, error) {
	if err := sleep(ctx, t.interval+t.interval/10); err != nil {
		return held{}, err
	}
	least := held{objects: math.MaxInt, bytes: math.MaxInt, goroutines: math.MaxInt, connections: math.MaxInt}
	for range heldSamples {
		h, err := sample(t.process)
		if err != nil {
			return held{}, err
		}
		least = least.least(h)
		if err := sleep(ctx, min(t.interval/10, 200*time.Millisecond)); err != nil {
			return held{}, err
		}
	}
	return least, nil
}

func sample(p *daemon.Process) (h held, err error) {
	var heap, stacks, metrics []byte
	for _, f := range []struct {
		path string
		body *[]byte
	}{
		{"/metrics", &metrics},
		{"/debug/pprof/goroutine?debug=1", &stacks},
		{"/debug/pprof/heap?gc=1&debug=1", &heap},
		// What a pool or a finalizer keeps is gone after the second collection.
		{"/debug/pprof/heap?gc=1&debug=1", &heap},
	} {
		if *f.body, err = p.GetPlain(f.path); err != nil {
			return h, fmt.Errorf("get %s: %w", f.path, err)
		}
	}
	if h.objects, err = number(heapObjects, heap); err != nil {
		return h, err
	}
	if h.bytes, err = number(heapAlloc, heap); err != nil {
		return h, err
	}
	if h.goroutines, h.connections, err = countGoroutines(stacks); err != nil {
		return h, err
	}
	h.series = countSeries(metrics)
	return h, nil
}

var (
	heapObjects = regexp.MustCompile(`(?m)^# HeapObjects = (\d+)$`)
	heapAlloc   = regexp.MustCompile(`(?m)^# HeapAlloc = (\d+)$`)
	goroutines  = regexp.MustCompile(`^goroutine profile: total (\d+)\n`)
	sameStack   = regexp.MustCompile(`^(\d+) @`)
	connection  = regexp.MustCompile(`net/http\.\(\*persistConn\)\.(readLoop|writeLoop)\+`)
)

// number returns the number that re finds in text.
func number(re *regexp.Regexp, text []byte) (int, error) {
	m := re.FindSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("no %s in a profile", re)
	}
	return strconv.Atoi(string(m[1]))
}

// countGoroutines returns the number of goroutines in a profile, apart those of
// HTTP connections to others, which are opened and closed as there is traffic.
func countGoroutines(profile []byte) (others, connections int, err error) {
	total, err := number(goroutines, profile)
	if err != nil {
		return 0, 0, err
	}
	for stack := range bytes.SplitSeq(profile, []byte("\n\n")) {
		if i := bytes.Index(stack, []byte("\n")); bytes.HasPrefix(stack, []byte("goroutine profile")) {
			stack = stack[i+1:]
		}
		if !connection.Match(stack) {
			continue
		}
		n, err := number(sameStack, stack)
		if err != nil {
			return 0, 0, err
		}
		connections += n
	}
	return total - connections, connections, nil
}

// countSeries returns the number of series of each metric in the Prometheus text
// format. It leaves out the buckets of histograms: one appears when something
// first takes as long as it stands for.
func countSeries(text []byte) map[string]int {
	n := map[string]int{}
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' || bytes.Contains(line, []byte(`vmrange="`)) {
			continue
		}
		name := line
		if i := bytes.IndexAny(line, "{ "); i >= 0 {
			name = line[:i]
		}
		n[string(name)]++
	}
	return n
}
