package remotewrite

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"tocsin/internal/httpx"
)

// endpoint is where blocks are written to.
type endpoint struct {
	client   *http.Client
	url      string
	identity string // url without user and password, which are changed now and then
	name     string // fit for errors
	timeout  time.Duration
}

func newEndpoint(u *url.URL, name string, transport http.RoundTripper, timeout time.Duration) *endpoint {
	anybody := *u
	anybody.User = nil
	return &endpoint{
		client: &http.Client{Transport: transport, CheckRedirect: samePost},
		url:    u.String(), identity: anybody.String(), name: name, timeout: timeout,
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

// write sends data, which is in protocol, once.
func (e *endpoint) write(ctx context.Context, data []byte, protocol protocol) answer {
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, nil)
	if err != nil {
		return answer{verdict: retriable, err: fmt.Errorf("write to %s: %w", e.name, httpx.RedactError(err))}
	}
	p := httpx.NewPayload(data)
	defer p.Reclaim()
	p.Attach(req)
	protocol.setHeaders(req.Header)
	resp, err := e.client.Do(req)
	if err != nil {
		return answer{verdict: retriable, err: fmt.Errorf("write to %s: %w", e.name, causeOf(err))}
	}
	defer resp.Body.Close()
	return e.read(resp, protocol)
}

// causeOf leaves out the address, which the error has already in a form fit to show.
func causeOf(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return httpx.RedactError(ue.Err)
	}
	return httpx.RedactError(err)
}
