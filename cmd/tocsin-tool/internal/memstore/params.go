package memstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
)

// maxRangePoints is the most steps a range query may have, as in Prometheus.
const maxRangePoints = 11_000

func rangeParams(r *http.Request) (start, end time.Time, step time.Duration, err error) {
	if start, err = timeParam(r, "start", time.Time{}); err != nil {
		return
	}
	if end, err = timeParam(r, "end", time.Time{}); err != nil {
		return
	}
	if step, err = parseDuration(r.Form.Get("step")); err != nil {
		err = fmt.Errorf("parameter \"step\": %w", err)
		return
	}
	switch {
	case start.IsZero() || end.IsZero():
		err = errors.New("parameters \"start\" and \"end\" are required")
	case end.Before(start):
		err = errors.New("parameter \"end\" is before \"start\"")
	case step <= 0:
		err = errors.New("parameter \"step\" must be more than zero")
	case end.Sub(start)/step > maxRangePoints:
		err = fmt.Errorf("more than %d steps between \"start\" and \"end\"", maxRangePoints)
	}
	return
}

func withTimeout(r *http.Request) (context.Context, context.CancelFunc, error) {
	text := r.Form.Get("timeout")
	if text == "" {
		return r.Context(), func() {}, nil
	}
	d, err := parseDuration(text)
	if err != nil {
		return nil, nil, fmt.Errorf("parameter \"timeout\": %w", err)
	}
	ctx, cancel := context.WithTimeout(r.Context(), d)
	return ctx, cancel, nil
}

// timeParam reads seconds since the Unix epoch or RFC 3339.
func timeParam(r *http.Request, name string, missing time.Time) (time.Time, error) {
	text := r.Form.Get(name)
	if text == "" {
		return missing, nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	sec, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(sec) || math.Abs(sec) > math.MaxInt64/1e6 {
		return time.Time{}, fmt.Errorf("parameter %q: %q is neither seconds since 1970 nor RFC 3339", name, text)
	}
	return time.UnixMilli(int64(math.Round(sec * 1000))), nil
}

// parseDuration reads a Prometheus duration or seconds.
func parseDuration(text string) (time.Duration, error) {
	if sec, err := strconv.ParseFloat(text, 64); err == nil {
		if math.IsNaN(sec) || math.Abs(sec) > math.MaxInt64/1e9 {
			return 0, fmt.Errorf("%q is out of range", text)
		}
		return time.Duration(sec * float64(time.Second)), nil
	}
	d, err := model.ParseDuration(text)
	return time.Duration(d), err
}
