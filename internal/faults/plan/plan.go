package plan

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"
)

// Options says what a plan is to be like.
type Options struct {
	Seed     uint64
	Duration time.Duration // in which faults begin and end
	Kills    int           // how often the daemon is killed
	Faults   Set
}

// Plan is the faults of a run, in order of their beginning. Those of one target
// do not overlap.
type Plan []Fault

// New returns the plan of o. It returns an error if the kills do not fit in the
// duration.
func New(o Options) (Plan, error) {
	var p Plan
	for _, t := range Targets {
		kinds := o.Faults.kinds(t)
		if len(kinds) == 0 {
			continue
		}
		// A generator for each target: what befalls one does not change with the
		// faults that the others may have.
		r := rand.New(rand.NewPCG(o.Seed, seedOf(t)))
		switch t {
		case Process:
			faults, err := processFaults(r, &o)
			if err != nil {
				return nil, err
			}
			p = append(p, faults...)
		case Rules:
			p = append(p, reloads(r, o.Duration)...)
		default:
			p = append(p, outages(r, t, kinds, o.Duration)...)
		}
	}
	slices.SortStableFunc(p, func(a, b Fault) int { return int(a.At - b.At) })
	return p, nil
}

func seedOf(t Target) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(t)) // never fails
	return h.Sum64()
}

// Of returns the faults of one target.
func (p Plan) Of(t Target) []Fault {
	var of []Fault
	for _, f := range p {
		if f.Target == t {
			of = append(of, f)
		}
	}
	return of
}

// Longest returns the longest time for which a fault of t may last in a run of
// that duration.
func Longest(t Target, duration time.Duration) time.Duration {
	share, most := time.Duration(5), 45*time.Second
	switch t {
	case Storage:
		most = time.Minute
	case Datasource:
		// Alerts see nothing meanwhile, so this decides how long they must last.
		share, most = 10, 20*time.Second
	case Disk:
		share, most = 10, 20*time.Second
	case Process:
		return stormKills * (stormGap + stormDown)
	}
	return max(min(duration/share, most), time.Second)
}

// calm returns the mean pause between two faults of a target.
func calm(t Target, duration time.Duration) time.Duration {
	pause := min(max(duration/8, time.Second), 12*time.Second)
	if t == AlertmanagerA || t == AlertmanagerB {
		// So that either is well for as long as it is not.
		pause += pause / 2
	}
	return pause
}

// outages returns faults of t, one after the other. Each kind has its turn before
// one comes again; the first lasts as long as any may.
func outages(r *rand.Rand, t Target, kinds []Kind, duration time.Duration) []Fault {
	var faults []Fault
	longest, pause := Longest(t, duration), calm(t, duration)
	deck := []Kind{}
	for at := between(r, 0, pause); ; {
		if len(deck) == 0 {
			deck = slices.Clone(kinds)
			r.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
		}
		// Short faults are more frequent than long ones.
		u := r.Float64()
		length := min(time.Second/2+time.Duration(u*u*float64(longest)), longest)
		if len(faults) == 0 {
			length = longest
		}
		if at+length > duration {
			return faults
		}
		f := Fault{Target: t, Kind: deck[0], At: at, Length: length, Amount: amount(r, deck[0], length)}
		faults, deck = append(faults, f), deck[1:]
		at += length + between(r, pause/2, pause*3/2)
	}
}

// amount returns by how much a fault of a kind slows things down.
func amount(r *rand.Rand, k Kind, length time.Duration) time.Duration {
	switch k {
	case Slow:
		return between(r, 200*time.Millisecond, min(3*time.Second, length))
	case TooMany:
		return time.Duration(1+r.IntN(3)) * time.Second
	case Late:
		return time.Duration(1+r.IntN(int(MaxLag/time.Second))) * time.Second
	}
	return 0
}

// MaxLag is how much data may be late.
const MaxLag = 5 * time.Second

// reloads returns reloads every few seconds.
func reloads(r *rand.Rand, duration time.Duration) []Fault {
	var faults []Fault
	for at := between(r, 0, time.Second); at < duration; at += between(r, time.Second, 7*time.Second) {
		faults = append(faults, Fault{Target: Rules, Kind: Reload, At: at})
	}
	return faults
}

// between returns a duration in [from, to].
func between(r *rand.Rand, from, to time.Duration) time.Duration {
	if to <= from {
		return from
	}
	return from + time.Duration(r.Int64N(int64(to-from)+1))
}

// doesNotFit is the error of a plan with more kills than its duration has room for.
func doesNotFit(o *Options, needed time.Duration) error {
	return fmt.Errorf("%d kills take %s, which does not fit in %s", o.Kills, needed.Round(time.Second), o.Duration)
}
