package objectstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"tocsin/config"
	"tocsin/internal/httpx"
)

const (
	// attempts is how often something is asked for, if there is no clear answer.
	attempts = 4
	// firstPause is the longest wait before the first repetition; it doubles each time.
	firstPause = 200 * time.Millisecond
	// longestPause is how long a server may make a client wait by Retry-After.
	longestPause = 5 * time.Second
)

// asker sends requests and repeats those that got no clear answer.
type asker struct {
	transport http.RoundTripper
	pause     time.Duration // before the first repetition

	requests, retries, renewals *metrics.Counter
}

func newAsker(o *Options, scheme string) asker {
	set := o.Metrics
	if set == nil {
		set = metrics.NewSet()
	}
	counter := func(name string) *metrics.Counter {
		return set.GetOrCreateCounter("tocsin_object_storage_" + name + `_total{scheme="` + scheme + `"}`)
	}
	return asker{
		transport: o.Transport, pause: firstPause,
		requests: counter("requests"), retries: counter("retries"), renewals: counter("credential_renewals"),
	}
}

// question is what to ask for. Either function may be called several times.
type question struct {
	// request makes a request, with fresh credentials.
	request func(ctx context.Context) (*http.Request, error)
	// answer reads a response. The error is a *refusal if the server has given none.
	answer func(*http.Response) error
	// settle does something about a refusal, so that it is worth to ask again at once;
	// false if there is nothing to be done.
	settle func(ctx context.Context, r *refusal) bool
}

// ask returns once there is an answer. Its error wraps config.ErrNoAnswer if it
// gave up.
func (a *asker) ask(ctx context.Context, q question) error {
	for attempt := 1; ; attempt++ {
		err := a.once(ctx, q)
		if err == nil || ctx.Err() != nil || !isUnclear(err) {
			return err
		}
		var r *refusal
		refused := errors.As(err, &r)
		settled := refused && q.settle != nil && attempt < attempts && q.settle(ctx, r)
		switch {
		case settled:
			continue
		case refused && !r.passing():
			return err
		case attempt == attempts:
			return fmt.Errorf("%w (%w after %d requests)", err, config.ErrNoAnswer, attempts)
		}
		a.retries.Inc()
		if !sleep(ctx, a.pauseAfter(attempt, r)) {
			return err
		}
	}
}

func (a *asker) once(ctx context.Context, q question) error {
	req, err := q.request(ctx)
	if err != nil {
		return err
	}
	a.requests.Inc()
	resp, err := a.transport.RoundTrip(req)
	if err != nil {
		return &interruption{httpx.RedactError(err)}
	}
	defer resp.Body.Close()
	return q.answer(resp)
}

// pauseAfter returns a random wait, so that those who were refused together do not
// come again together; no less than the server asked for.
func (a *asker) pauseAfter(attempt int, r *refusal) time.Duration {
	most := a.pause << (attempt - 1)
	pause := most/2 + rand.N(most/2+1)
	if r != nil {
		pause = max(pause, min(r.after, longestPause))
	}
	return pause
}

// sleep waits; false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// interruption is an exchange that broke off.
type interruption struct{ err error }

func (e *interruption) Error() string { return e.err.Error() }
func (e *interruption) Unwrap() error { return e.err }

// refusal is a response that is no answer.
type refusal struct {
	status string // such as "403 Forbidden"
	number int
	code   string        // the server's word for the reason; may be ""
	region string        // where the bucket is, if the server says so
	after  time.Duration // how long the server wants to be left alone
}

func refusalOf(resp *http.Response, code string) *refusal {
	r := &refusal{status: resp.Status, number: resp.StatusCode, code: code}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
		r.after = min(time.Duration(seconds), time.Hour/time.Second) * time.Second
	}
	return r
}

func (r *refusal) Error() string {
	text := "the store answered " + r.status
	if isWord(r.code) {
		text += ", " + r.code
	}
	return text
}

// isWord reports whether a code is one, and not a text that may repeat secrets.
func isWord(code string) bool {
	if code == "" || len(code) > 64 {
		return false
	}
	for i := range len(code) {
		c := code[i]
		if c < 'A' || c > 'Z' && c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

// passing reports whether the same request may be answered later.
func (r *refusal) passing() bool {
	switch r.number {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return slices.Contains([]string{
		"SlowDown", "RequestTimeout", "Throttling", "ThrottlingException", "RequestLimitExceeded",
		"BandwidthLimitExceeded", "TooManyRequests", "TooManyRequestsException", "InternalError",
		"ServiceUnavailable", "IncompleteBody", "OperationAborted",
	}, r.code)
}

// isUnclear reports whether an error leaves open what the answer is.
func isUnclear(err error) bool {
	var i *interruption
	var r *refusal
	return errors.As(err, &i) || errors.As(err, &r)
}
