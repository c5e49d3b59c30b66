package alertmanager

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"tocsin/internal/httpx"
)

// keepBuffer is the largest request buffer that is kept for the next request.
const keepBuffer = 1 << 20

// sender empties the mailbox of a target, one request at a time, so that the
// states of an alert arrive in order.
type sender struct {
	target  *Target
	size    batchSize
	encoder encoder
	sent    []sending // the batch in flight
}

// run sends until ctx ends, or the mailbox is closed and empty.
func (s *sender) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	mail := s.target.mail
	for ctx.Err() == nil {
		b, again, done := mail.take(s.sent[:0], s.size.limit, time.Now())
		if done {
			return
		}
		if len(b.sent) > 0 {
			s.sent = b.sent
			s.deliver(ctx, b)
			clear(s.sent) // what was sent must not be kept from the collector
			continue
		}
		var due <-chan time.Time
		if !again.IsZero() {
			timer.Reset(time.Until(again))
			due = timer.C
		}
		select {
		case <-ctx.Done():
		case <-mail.wake:
		case <-due:
		}
	}
}

// deliver makes one attempt to send b and records what came of it. An attempt
// that ctx cut short counts as none.
func (s *sender) deliver(ctx context.Context, b batch) {
	m := s.target.mail.metrics
	body, n := s.compose(b)
	if n == 0 {
		s.settled(b, time.Now())
		return
	}
	if b.retry {
		m.retries.Inc()
	}
	began := time.Now()
	a := s.attempt(ctx, b, body)
	if a.err != nil && ctx.Err() != nil {
		return
	}
	m.duration.UpdateDuration(began)
	if a.verdict == accepted {
		m.sent.Add(n)
	} else {
		m.sendErrors.Add(n)
	}
	s.record(b, a, time.Now())
	if cap(s.encoder.buf) > keepBuffer {
		s.encoder.buf = nil
	}
}

// compose returns the body of the request that tells b, and how many alerts are in
// it.
func (s *sender) compose(b batch) (body []byte, n int) {
	e, m, known := &s.encoder, s.target.mail.metrics, s.target.identities
	e.begin()
	add := func(st *state) {
		if !e.add(st) {
			m.unlabeled.Inc()
		}
	}
	if known.idle() {
		for i := range b.sent {
			known.tellPlain(&b.sent[i].state, add)
		}
	} else {
		m.unwanted.Add(known.tell(b.sent, time.Now(), add))
	}
	return e.finish()
}

// settled records that the peer is done with b.
func (s *sender) settled(b batch, now time.Time) {
	s.target.identities.settled(b.sent)
	s.target.mail.settled(b, now)
}

// record puts the outcome of an attempt into effect.
func (s *sender) record(b batch, a answer, now time.Time) {
	mail, m, h := s.target.mail, s.target.mail.metrics, s.target.health
	switch a.verdict {
	case accepted:
		s.size.grow(now)
		s.settled(b, now)
		h.delivered(now, mail.failing())
	case partial:
		m.partial.Inc()
		s.settled(b, now)
		h.declined(a.err, now, mail.failing())
	case tooLarge, refused:
		if s.size.shrink(len(b.sent), a.verdict == tooLarge, now) {
			m.split.Inc()
			h.noted(a.err)
			return // half of the batch is due at once
		}
		if a.verdict == tooLarge {
			m.tooLarge.Inc()
		} else {
			m.refused.Inc()
		}
		s.settled(b, now)
		h.declined(a.err, now, mail.failing())
	case unreachable:
		mail.failed(b, a.retryAfter, now)
		h.failed(a.err, now)
	}
}

// attempt posts body once.
func (s *sender) attempt(ctx context.Context, b batch, body []byte) answer {
	ctx, cancel := context.WithTimeoutCause(ctx, s.target.timeout,
		fmt.Errorf("no answer within %s", s.target.timeout))
	defer cancel()
	p := httpx.NewPayload(body)
	defer p.Reclaim()
	req, err := s.request(ctx, b, p)
	if err != nil {
		return answer{err: err}
	}
	resp, err := s.target.client.Do(req)
	if err != nil {
		return answer{err: withoutURL(ctx, err)}
	}
	defer resp.Body.Close()
	return readAnswer(resp, time.Now())
}

func (s *sender) request(ctx context.Context, b batch, p *httpx.Payload) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.target.endpoint.url, nil)
	if err != nil {
		return nil, errors.New("build request: invalid URL") // err would print the URL with its secrets
	}
	p.Attach(req)
	req.Header.Set("Content-Type", "application/json")
	// Present without a value: not sent, but tells the transport that the request
	// may be repeated when a kept connection turns out to be closed.
	req.Header["Idempotency-Key"] = nil
	for _, h := range b.lane.headers {
		if http.CanonicalHeaderKey(h.Name) == "Host" {
			req.Host = h.Value
			continue
		}
		req.Header.Set(h.Name, h.Value)
	}
	return req, nil
}

// withoutURL returns the reason of a request's failure without the URL, which may
// hold secrets.
func withoutURL(ctx context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var u *url.Error
	for errors.As(err, &u) {
		err = u.Err
	}
	return err
}

// sameHost lets a request follow a redirect only where it stays the same request
// to the same host: a POST that became a GET would be answered, and tell no one.
func sameHost(req *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case req.Method != first.Method:
		return http.ErrUseLastResponse
	case len(via) >= 5:
		return errors.New("too many redirects")
	case req.URL.Hostname() != first.URL.Hostname():
		return errors.New("redirected to another host")
	case first.URL.Scheme == "https" && req.URL.Scheme != "https":
		return errors.New("redirected from https to http")
	}
	return nil
}
