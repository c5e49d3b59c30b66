package alertmanager

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"tocsin/internal/httpx"
)

const (
	// bodyShown is how much of an answer is kept as the reason of a failure, and
	// bodyDrained how much is read so that the connection can be used again.
	bodyShown   = 1 << 10
	bodyDrained = 64 << 10
	// maxRetryAfter bounds the pause a peer may ask for.
	maxRetryAfter = 5 * time.Minute
)

// verdict is what an attempt means for the alerts in it.
type verdict uint8

const (
	unreachable verdict = iota // no answer, or one that may change: try again
	accepted
	partial  // the valid alerts were taken, the others never will be
	tooLarge // fewer alerts at a time may pass
	refused  // an alert among them spoils the request
)

// judge returns the meaning of an HTTP status.
func judge(status int) verdict {
	switch {
	case status >= 200 && status <= 299:
		return accepted
	case status == http.StatusBadRequest:
		return partial
	case status == http.StatusRequestEntityTooLarge:
		return tooLarge
	case status == http.StatusUnprocessableEntity:
		return refused
	}
	return unreachable
}

// answer is the outcome of one attempt.
type answer struct {
	verdict    verdict
	err        error         // nil if accepted
	retryAfter time.Duration // as the peer asked; 0 if it did not
}

// readAnswer reads what is worth knowing of resp and leaves its connection ready
// for the next request.
func readAnswer(resp *http.Response, now time.Time) answer {
	a := answer{verdict: judge(resp.StatusCode)}
	if a.verdict != accepted {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, bodyShown)) // the status says enough without it
		a.err = statusError(resp.StatusCode, text)
		if a.verdict == partial && unread(text) {
			a.verdict = unreachable
		}
	}
	if a.verdict == unreachable {
		a.retryAfter = httpx.RetryAfter(resp.Header.Get("Retry-After"), now, maxRetryAfter)
	}
	_, _ = io.CopyN(io.Discard, resp.Body, bodyDrained) // a connection that breaks here is replaced
	return a
}

// unread reports whether a 400 with that text says that the request itself was not
// understood, so that no Alertmanager has seen the alerts: a page of a proxy, or the
// answer of Go's server to http where it serves https.
func unread(text []byte) bool {
	text = bytes.TrimSpace(text)
	return bytes.HasPrefix(text, []byte("<")) || bytes.HasPrefix(text, []byte("Client sent an HTTP request"))
}

func statusError(status int, text []byte) error {
	if s := strings.TrimSpace(strings.ToValidUTF8(string(text), "\ufffd")); s != "" {
		return fmt.Errorf("status %d: %s", status, s)
	}
	return fmt.Errorf("status %d", status)
}
