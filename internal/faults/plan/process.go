package plan

import (
	"math/rand/v2"
	"time"
)

// Most kills come in storms, one after the other while the daemon has hardly
// started, and the rest alone, so that there is quiet to be judged in too.
const (
	stormKills = 30
	stormGap   = time.Second            // longest time from a start to the next kill
	stormDown  = 300 * time.Millisecond // longest time until the next start

	alone     = 40 // one kill in so many comes alone
	graceful  = 50 // there is one SIGTERM for so many kills
	aloneDown = 2 * time.Second
)

// episode is faults of the process that belong together; At counts from its start.
type episode struct {
	faults []Fault
	length time.Duration
}

// processFaults returns storms, single kills and orderly restarts in random order
// with random pauses.
func processFaults(r *rand.Rand, o *Options) ([]Fault, error) {
	episodes := episodesOf(r, o)
	var needed time.Duration
	for _, e := range episodes {
		needed += e.length
	}
	free := o.Duration - needed
	if free < 0 {
		return nil, doesNotFit(o, needed)
	}
	r.Shuffle(len(episodes), func(i, j int) { episodes[i], episodes[j] = episodes[j], episodes[i] })
	pauses, sum := make([]float64, len(episodes)+1), 0.0
	for i := range pauses {
		pauses[i] = 0.5 + r.Float64()
		sum += pauses[i]
	}
	var faults []Fault
	at := time.Duration(0)
	for i, e := range episodes {
		at += time.Duration(pauses[i] / sum * float64(free))
		for _, f := range e.faults {
			f.At += at
			faults = append(faults, f)
		}
		at += e.length
	}
	return faults, nil
}

func episodesOf(r *rand.Rand, o *Options) []episode {
	var all []episode
	kills := o.Kills
	if !o.Faults.has(Process, Kill) {
		kills = 0
	}
	single := kills / alone
	for range single {
		all = append(all, one(Kill, between(r, 0, aloneDown)))
	}
	for left := kills - single; left > 0; left -= stormKills {
		all = append(all, storm(r, min(left, stormKills)))
	}
	if o.Faults.has(Process, Term) {
		for range max(o.Kills/graceful, 1) {
			all = append(all, one(Term, between(r, 0, aloneDown)))
		}
	}
	return all
}

func one(k Kind, down time.Duration) episode {
	return episode{faults: []Fault{{Target: Process, Kind: k, Length: down}}, length: down}
}

func storm(r *rand.Rand, kills int) episode {
	var e episode
	for range kills {
		down := between(r, 0, stormDown)
		e.faults = append(e.faults, Fault{Target: Process, Kind: Kill, At: e.length, Length: down})
		e.length += down + between(r, 50*time.Millisecond, stormGap)
	}
	return e
}
