package app

import (
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// reloadStatus is what metrics and pages tell of reloads.
type reloadStatus struct {
	total, errors *metrics.Counter
	loaded        atomic.Bool
	at            atomic.Int64          // of the last success, in seconds since the Unix epoch
	failure       atomic.Pointer[error] // of the last load; nil if it went well
}

func newReloadStatus(s *metrics.Set) *reloadStatus {
	st := &reloadStatus{
		total:  s.NewCounter("vmalert_config_last_reload_total"),
		errors: s.NewCounter("vmalert_config_last_reload_errors_total"),
	}
	s.NewGauge("vmalert_config_last_reload_successful", func() float64 {
		if st.loaded.Load() && st.failure.Load() == nil {
			return 1
		}
		return 0
	})
	s.NewGauge("vmalert_config_last_reload_success_timestamp_seconds", func() float64 {
		return float64(st.at.Load())
	})
	return st
}

// failed notes how the last load went: err, or nil.
func (st *reloadStatus) failed(err error) {
	if err == nil {
		st.failure.Store(nil)
		return
	}
	st.failure.Store(&err)
}

// succeeded notes that a new configuration is in force.
func (st *reloadStatus) succeeded() {
	st.loaded.Store(true)
	st.at.Store(time.Now().Unix())
}

// lastError returns why what runs is not what the files say, or nil.
func (st *reloadStatus) lastError() error {
	if err := st.failure.Load(); err != nil {
		return *err
	}
	return nil
}
