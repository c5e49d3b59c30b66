package remotewrite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tocsin/internal/httpx"
)

const (
	maxAnswerText  = 512      // bytes of an answer that are told
	maxAnswerDrain = 64 << 10 // bytes of an answer read so that its connection can be used again
)

// verdict is what an answer means for the block.
type verdict int

const (
	accepted verdict = iota
	retriable
	unwanted // sending it again is useless
)

// answer is how an attempt to write a block ended.
type answer struct {
	verdict    verdict
	status     int           // 0 when there was none
	err        error         // nil if accepted; names the endpoint
	retryAfter time.Duration // as storage asked; 0 if it did not
}

// disputesProtocol reports whether storage may have failed to read the block at all.
func (a *answer) disputesProtocol() bool {
	return a.status == http.StatusBadRequest || a.status == http.StatusUnsupportedMediaType
}

// endpoint is where blocks are written to.
type endpoint struct {
	client  *http.Client
	url     string
	name    string // fit for errors
	timeout time.Duration
}

func newEndpoint(u *url.URL, name string, transport http.RoundTripper, timeout time.Duration) *endpoint {
	return &endpoint{
		client: &http.Client{Transport: transport, CheckRedirect: samePost},
		url:    u.String(), name: name, timeout: timeout,
	}
}

// samePost follows only redirects that repeat the request: a POST turned into a
// GET would be answered by something that has not taken the samples.
func samePost(req *http.Request, via []*http.Request) error {
	if req.Method != http.MethodPost || len(via) >= 10 {
		return http.ErrUseLastResponse
	}
	return nil
}

// write sends p once.
func (e *endpoint) write(ctx context.Context, p *payload, protocol protocol) answer {
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	body := p.body()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, body)
	if err != nil {
		_ = body.Close()
		return answer{verdict: retriable, err: fmt.Errorf("write to %s: %w", e.name, httpx.RedactError(err))}
	}
	req.ContentLength = int64(len(p.data))
	req.GetBody = func() (io.ReadCloser, error) { return p.body(), nil }
	setHeaders(req.Header, protocol)
	resp, err := e.client.Do(req)
	if err != nil {
		return answer{verdict: retriable, err: fmt.Errorf("write to %s: %w", e.name, causeOf(err))}
	}
	defer resp.Body.Close()
	return e.read(resp)
}

func setHeaders(h http.Header, p protocol) {
	h.Set("Content-Type", "application/x-protobuf")
	h.Set("User-Agent", "tocsin")
	if p == snappyProtocol {
		h.Set("Content-Encoding", "snappy")
		h.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
		return
	}
	h.Set("Content-Encoding", "zstd")
	h.Set("X-VictoriaMetrics-Remote-Write-Version", "1")
}

// causeOf leaves out the address, which the error has already in a form fit to show.
func causeOf(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return httpx.RedactError(ue.Err)
	}
	return httpx.RedactError(err)
}

func (e *endpoint) read(resp *http.Response) answer {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswerText))
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswerDrain)
	a := answer{status: resp.StatusCode}
	switch class := resp.StatusCode / 100; {
	case class == 2:
		return a
	case class == 4 && resp.StatusCode != http.StatusTooManyRequests:
		a.verdict = unwanted
	default:
		a.verdict = retriable
		a.retryAfter = retryAfter(resp.Header.Get("Retry-After"), time.Now())
	}
	a.err = fmt.Errorf("write to %s: answer %s", e.name, resp.Status)
	if t := strings.TrimSpace(string(text)); t != "" {
		a.err = fmt.Errorf("%w: %q", a.err, t)
	}
	return a
}
