package remotewrite

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/httpx"
)

const (
	maxAnswerText  = 512      // bytes of an answer that are told
	maxAnswerDrain = 64 << 10 // bytes of an answer read so that its connection can be used again
)

// verdict is what an answer means for the rows that were sent.
type verdict int

const (
	accepted verdict = iota
	retriable
	unwanted // for what they are: sending them again is useless
)

// answer is how an attempt to write ended.
type answer struct {
	verdict    verdict
	status     int           // 0 when there was none
	err        error         // nil if accepted; names the endpoint
	retryAfter time.Duration // as storage asked; 0 if it did not
	written    int           // rows that storage says it has taken; -1 if it does not say
}

// partly returns the error of an answer by which only some of the rows are written.
func (a *answer) partly(rows int) error {
	if a.err != nil {
		return a.err
	}
	return fmt.Errorf("answer %d says that %d of %d samples are written", a.status, a.written, rows)
}

// writtenHeader is how storage that speaks remote write 2.0 says how many
// samples of a request it has taken.
const writtenHeader = "X-Prometheus-Remote-Write-Samples-Written"

// read says what resp, which is the answer to a request in p, means.
func (e *endpoint) read(resp *http.Response, p protocol) answer {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswerText))
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswerDrain)
	a := answer{status: resp.StatusCode, verdict: verdictOf(resp.StatusCode), written: -1}
	if p == prometheus2 {
		a.written = samplesWritten(resp.Header)
	}
	switch {
	case a.verdict == accepted && p == prometheus2 && a.written < 0:
		// Storage that takes every request for one of 1.0 finds nothing in it.
		a.status, a.verdict = http.StatusUnsupportedMediaType, retriable
		a.err = fmt.Errorf("write to %s: answer %s does not say what was written", e.name, resp.Status)
		return a
	case a.verdict == accepted:
		return a
	case a.verdict == retriable:
		a.retryAfter = httpx.RetryAfter(resp.Header.Get("Retry-After"), time.Now(), maxRetryAfter)
	}
	a.err = fmt.Errorf("write to %s: answer %s", e.name, resp.Status)
	if t := strings.TrimSpace(string(text)); t != "" {
		a.err = fmt.Errorf("%w: %q", a.err, t)
	}
	return a
}

// verdictOf blames the rows only for answers that can be due to them. Who may
// write, where to and in which format is between tocsin and storage, and can be
// put right while the rows wait.
func verdictOf(status int) verdict {
	switch status {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden, http.StatusNotFound,
		http.StatusMethodNotAllowed, http.StatusProxyAuthRequired, http.StatusRequestTimeout,
		http.StatusUnsupportedMediaType, http.StatusMisdirectedRequest, http.StatusTooEarly,
		http.StatusUpgradeRequired, http.StatusTooManyRequests:
		return retriable
	}
	switch status / 100 {
	case 2:
		return accepted
	case 4:
		return unwanted
	}
	return retriable
}

// samplesWritten returns -1 if the header is missing or nonsense.
func samplesWritten(h http.Header) int {
	n, err := strconv.ParseUint(h.Get(writtenHeader), 10, 31)
	if err != nil {
		return -1
	}
	return int(n)
}
