package replay

import "sync/atomic"

// Summary is what a replay came to.
type Summary struct {
	Rules       int // that came to the end of the period
	Queries     int // answered
	Retries     int // of queries that were not answered
	Evaluations int
	Fired       int // alerts that began to fire
	Samples     int // handed over to be written
	Failed      int // evaluations with an error
	Skipped     int // evaluations whose query failed
}

// stats counts for a Summary.
type stats struct {
	rules, queries, retries, evaluations, fired, samples, failed, skipped atomic.Int64
}

func (s *stats) summary() Summary {
	return Summary{
		Rules: int(s.rules.Load()), Queries: int(s.queries.Load()), Retries: int(s.retries.Load()),
		Evaluations: int(s.evaluations.Load()), Fired: int(s.fired.Load()),
		Samples: int(s.samples.Load()), Failed: int(s.failed.Load()), Skipped: int(s.skipped.Load()),
	}
}
