package rules

import (
	"log/slog"
	"time"

	"tocsin/config"
)

// Deps is what a group needs from the world.
type Deps struct {
	Querier   Querier
	Restorer  *Restorer // nil: alert state is not restored from storage
	CatchUp   *CatchUp  // nil: evaluations that are missing stay so
	Appender  Appender  // nil: results are not written
	Notifier  Notifier
	Journal   Journal // nil: results go to Appender and Notifier at once
	Templates TemplateCompiler
	Link      Linker // nil: alerts have no address
	// Settled, unless nil, is called after each round with how many results its
	// rules had. It must not wait.
	Settled  func(results int)
	Counters *Counters
	Log      *slog.Logger
	Options  Options
}

// Options is how rules are evaluated, whatever group they are in.
type Options struct {
	ExternalLabels    []config.Pair // sorted by name
	Conflict          Conflict
	DisableAlertgroup bool // alerts do not get the label alertgroup
	SilentRemoval     bool // alerts and series of rules that are gone are left to expire

	ResendDelay        time.Duration // between two notifications of an unchanged alert
	MaxResolveDuration time.Duration // caps how far in the future alerts end; 0 is no cap
	ErrorResend        time.Duration // how long alerts of a rule that fails go on being sent

	QueryTimeout  time.Duration // of one query; the group's interval if that is less
	ChainWait     time.Duration // for storage to take what a later rule of the group reads
	ChainDelay    time.Duration // until queries find what storage has taken
	MaxStartDelay time.Duration // before the first round of a group
}

// queryTimeout returns the deadline of one query of a group.
func (o *Options) queryTimeout(interval time.Duration) time.Duration {
	if o.QueryTimeout <= 0 {
		return interval
	}
	return min(interval, o.QueryTimeout)
}
