package journal

import (
	"slices"

	"tocsin/internal/journal/store"
	"tocsin/rules"
)

// maxOwed bounds the samples that are owed to a disk that takes nothing.
const maxOwed = 1_000_000

// debt is what the disk has yet to take, in order. Its results go to disk
// together with the values: memory that is stored must not be of evaluations whose
// results are on no disk.
type debt struct {
	puts   []store.Put
	series []rules.Series
}

func (d *debt) empty() bool { return len(d.puts)+len(d.series) == 0 }

// add puts what came later behind d. Values that are replaced thereby are left out.
func (d *debt) add(later debt) {
	if len(d.puts) == 0 {
		d.puts = later.puts
	} else {
		d.puts = append(d.puts, later.puts...)
	}
	d.puts = latest(d.puts)
	if len(d.series) == 0 {
		d.series = slices.Clip(later.series) // what is behind it is not ours
	} else {
		d.series = append(d.series, later.series...)
	}
}

// trim gives up the oldest results beyond maxOwed. They have been handed on: only a
// crash would lose them.
func (d *debt) trim() { d.series = d.series[max(len(d.series)-maxOwed, 0):] }

// latest returns puts without those that a later one for the same key replaces.
func latest(puts []store.Put) []store.Put {
	last := make(map[string]int, len(puts))
	for i := range puts {
		last[puts[i].Key] = i
	}
	if len(last) == len(puts) {
		return puts
	}
	kept := puts[:0]
	for i := range puts {
		if last[puts[i].Key] == i {
			kept = append(kept, puts[i])
		}
	}
	return kept
}
