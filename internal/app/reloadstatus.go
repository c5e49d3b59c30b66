package app

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"tocsin/internal/web"
)

// reloadStatus is what metrics, API and pages tell of loads.
type reloadStatus struct {
	total, errors *metrics.Counter
	loaded        atomic.Bool
	at            atomic.Int64          // of the last success, in seconds since the Unix epoch
	problems      atomic.Int64          // of the last load
	took          atomic.Int64          // nanoseconds of the last load
	failure       atomic.Pointer[error] // the problems of the last load; nil if there were none
	recent        atomic.Pointer[[]web.Reload]
}

// recentLoads is how many loads the API tells of.
const recentLoads = 10

func newReloadStatus(s *metrics.Set) *reloadStatus {
	st := &reloadStatus{
		total:  s.NewCounter("vmalert_config_last_reload_total"),
		errors: s.NewCounter("vmalert_config_last_reload_errors_total"),
	}
	st.recent.Store(new([]web.Reload))
	s.NewGauge("vmalert_config_last_reload_successful", func() float64 {
		if st.loaded.Load() && st.failure.Load() == nil {
			return 1
		}
		return 0
	})
	s.NewGauge("vmalert_config_last_reload_success_timestamp_seconds", func() float64 {
		return float64(st.at.Load())
	})
	s.NewGauge("tocsin_config_last_reload_duration_seconds", func() float64 {
		return time.Duration(st.took.Load()).Seconds()
	})
	s.NewGauge("tocsin_config_problems", func() float64 {
		return float64(st.problems.Load())
	})
	return st
}

// note keeps what came of a load. Unless something was renewed, the time of the
// last success is what it was.
func (st *reloadStatus) note(o *outcome, renewed bool) {
	st.took.Store(int64(o.took))
	st.problems.Store(int64(len(o.problems)))
	if err := o.err(); err != nil {
		st.failure.Store(&err)
	} else {
		st.failure.Store(nil)
		if renewed {
			st.at.Store(time.Now().Unix())
		}
	}
	latest := slices.Concat([]web.Reload{{
		At: o.began, Trigger: o.trigger, Took: o.took, Totals: o.change.Totals(),
		Refused: o.change.Refused, Problems: o.lines(),
	}}, *st.recent.Load())
	latest = latest[:min(len(latest), recentLoads)]
	st.recent.Store(&latest)
}

// lastError returns why what runs is not what the files say, or nil.
func (st *reloadStatus) lastError() error {
	if err := st.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// Recent returns the last loads, the latest first.
func (st *reloadStatus) Recent() []web.Reload { return *st.recent.Load() }
