package witness

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// lossy matches the names of metrics that count what was lost, left out or tried
// in vain.
var lossy = regexp.MustCompile(`dropped|lost|missed|expired|given_up|cut_short|unfill|corrupt|refus|handover_errors|execution_errors|queue_full|evicted`)

// Counters are what a daemon counted over all its lives.
type Counters struct {
	past, present map[string]float64 // sums of a metric over its series
}

// Observe takes the metrics page of the daemon as it is now.
func (c *Counters) Observe(page string) { c.present = sums(page) }

// NextLife notes that the daemon has ended. What it counted after the last
// Observe is not known.
func (c *Counters) NextLife() {
	if c.past == nil {
		c.past = map[string]float64{}
	}
	for name, v := range c.present {
		c.past[name] += v
	}
	c.present = nil
}

// Counter is a metric and what it came to.
type Counter struct {
	Name  string
	Value float64
}

// Losses returns the counters of what was lost that are not zero, by name.
func (c *Counters) Losses() []Counter {
	total := map[string]float64{}
	for _, life := range []map[string]float64{c.past, c.present} {
		for name, v := range life {
			if lossy.MatchString(name) {
				total[name] += v
			}
		}
	}
	var all []Counter
	for _, name := range slices.Sorted(maps.Keys(total)) {
		if v := total[name]; v != 0 {
			all = append(all, Counter{name, v})
		}
	}
	return all
}

// sums reads the lines of a metrics page that make sense.
func sums(page string) map[string]float64 {
	sum := map[string]float64{}
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		end := strings.LastIndexByte(line, ' ')
		if end < 0 || line[0] == '#' {
			continue
		}
		v, err := strconv.ParseFloat(line[end+1:], 64)
		if err != nil {
			continue
		}
		name, _, _ := strings.Cut(line[:end], "{")
		sum[strings.TrimSpace(name)] += v
	}
	return sum
}
