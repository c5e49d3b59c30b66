package rules

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tocsin/config"
)

// errCutShort is the outcome of an evaluation that was ended from outside. It
// wrote, sent and remembers nothing.
var errCutShort = errors.New("evaluation was cut short")

// evaluation is one evaluation of one rule: for which time, and by what means.
type evaluation struct {
	at    Instant // the time it is for
	now   Instant // the wall clock when it began
	first bool    // nothing computed before may be kept
	write bool    // somebody takes series
	quiet bool    // it makes up for a time past, of which only ends are told
	// caughtUp: quiet ones came before it, which leave annotations as they are.
	caughtUp bool
	// unsettled: storage has not been asked yet since when alerts are pending, so
	// that must not be overwritten there.
	unsettled bool
	query     func(ctx context.Context, q Query) (Result, error)
}

// output is what an evaluation has to tell the world.
type output struct {
	series []Series
	alerts []Alert

	samples int
	fetched int  // series the datasource read; -1 when unknown
	fired   int  // alerts that began to fire
	partial bool // the answer was
	good    bool // the evaluation counts: what is remembered is what it came to
}

// rule is a rule of a running group. It is used by one goroutine at a time.
type rule interface {
	// apply evaluates the rule given the answer to its query, or queryErr, and
	// returns what it remembers next and what there is to tell. It changes nothing
	// outside. With an error, the memory is still to be kept and the output to be
	// told, unless it wraps errCutShort.
	apply(ctx context.Context, ev evaluation, m RuleMemory, res Result, queryErr error) (RuleMemory, output, error)
	// farewell returns what there is to tell when the rule is gone for good.
	farewell(m RuleMemory, now Instant) output
}

// limitError is the error of a rule with more results than its group allows.
func limitError(limit, got int) error {
	return fmt.Errorf("limit of %d exceeded: %d results", limit, got)
}

// duplicateError is the error of a rule of which two results end up with the
// same labels.
func duplicateError(l fmt.Stringer) error {
	return fmt.Errorf("two results have the same labels %s once the rule's labels are applied", l)
}

// account adds the outcome of an evaluation to what the rule remembers.
func (m RuleMemory) account(ev evaluation, out output, took time.Duration, limit int, err error) RuleMemory {
	u := Update{
		Began: ev.now, At: ev.at, Duration: took,
		Samples: out.samples, SeriesFetched: out.fetched,
	}
	m.evaluated, m.reported = true, err != nil
	if err != nil {
		u.Error = err.Error()
		m.Errors++
	}
	m.History = m.History.with(&u, limit)
	return m
}

// groupEnv is what the rules of one group have in common.
type groupEnv struct {
	group   *config.Group
	groupID uint64 // as vmalert numbers it
	deps    *Deps
	tenant  tenant // whose data the group is about
	link    GroupLinker
}

func newRule(env *groupEnv, r *RuleIdentity) (rule, error) {
	if r.Rule.Kind == config.Recording {
		return &recordingRule{groupEnv: env, RuleIdentity: r}, nil
	}
	return newAlertingRule(env, r)
}
