// Package plan decides which faults befall the daemon and what it talks to, and
// when. A plan follows from its options alone, so that a run can be repeated.
package plan

import (
	"fmt"
	"path"
	"time"
)

// Target is what a fault befalls.
type Target string

// The targets.
const (
	Datasource    Target = "datasource"
	Storage       Target = "storage"
	AlertmanagerA Target = "alertmanager-a"
	AlertmanagerB Target = "alertmanager-b"
	Process       Target = "process" // the daemon itself
	Rules         Target = "rules"   // the daemon's rule files
	Disk          Target = "disk"    // where the daemon keeps its journal
)

// Targets are all targets, in the order in which they are shown.
var Targets = [...]Target{Process, Rules, Datasource, Storage, AlertmanagerA, AlertmanagerB, Disk}

// Kind is what happens to a target.
type Kind string

// The kinds of fault.
const (
	Down        Kind = "down"    // connections are refused
	Hang        Kind = "hang"    // requests are answered when the fault is over
	Slow        Kind = "slow"    // each request is answered after Amount
	Cut         Kind = "cut"     // the request is served, and its answer breaks off
	TooMany     Kind = "429"     // with Retry-After of Amount
	ServerError Kind = "500"     // to everything
	BadRequest  Kind = "400"     // to everything; an Alertmanager takes it nevertheless
	Rubbish     Kind = "rubbish" // answers that make no sense
	Late        Kind = "late"    // data of the last Amount is not there yet

	Kill   Kind = "kill"   // kill -9, and a start after Length
	Term   Kind = "term"   // SIGTERM, and a start after Length
	Reload Kind = "reload" // SIGHUP; in every second case the files have changed
	Full   Kind = "full"   // no space is left
)

var remoteKinds = []Kind{Down, Hang, Slow, Cut, TooMany, ServerError, BadRequest, Rubbish}

// Kinds returns the kinds of fault that can befall t.
func Kinds(t Target) []Kind {
	switch t {
	case Datasource:
		return append([]Kind{Late}, remoteKinds...)
	case Process:
		return []Kind{Kill, Term}
	case Rules:
		return []Kind{Reload}
	case Disk:
		return []Kind{Full}
	}
	return remoteKinds
}

// Fault is one fault of a plan.
type Fault struct {
	Target Target
	Kind   Kind
	At     time.Duration // from the start of the run
	Length time.Duration // how long it lasts; 0 for what happens at once
	Amount time.Duration // as the kind says
}

// Name returns the sort of the fault, as patterns match it.
func (f *Fault) Name() string { return name(f.Target, f.Kind) }

func name(t Target, k Kind) string { return string(t) + "/" + string(k) }

// Set is the sorts of fault that a plan may have.
type Set []string

// NewSet returns the sorts that any of patterns matches, which are written as for
// path.Match: "storage/*" or "*/hang".
func NewSet(patterns ...string) (Set, error) {
	s := Set{}
	for _, p := range patterns {
		found := false
		for _, t := range Targets {
			for _, k := range Kinds(t) {
				ok, err := path.Match(p, name(t, k))
				if err != nil {
					return nil, fmt.Errorf("pattern of faults %q: %w", p, err)
				}
				if ok {
					found, s = true, append(s, name(t, k))
				}
			}
		}
		if !found {
			return nil, fmt.Errorf("no fault is called %q", p)
		}
	}
	return s, nil
}

func (s Set) has(t Target, k Kind) bool {
	for _, n := range s {
		if n == name(t, k) {
			return true
		}
	}
	return false
}

// kinds returns those of t's kinds that are in s.
func (s Set) kinds(t Target) []Kind {
	var in []Kind
	for _, k := range Kinds(t) {
		if s.has(t, k) {
			in = append(in, k)
		}
	}
	return in
}
