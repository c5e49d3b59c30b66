package discovery

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config/notifiers"
	"tocsin/internal/httpx"
)

const (
	// httpInterval is the usual pause between requests for a list.
	httpInterval = time.Minute
	// askTimeout bounds a request that is answered at once.
	askTimeout = 30 * time.Second
	// bodyShown is how much of an answer is quoted in an error.
	bodyShown = 256
)

// list finds what a server lists.
type list struct {
	url    string
	every  time.Duration
	client *http.Client
	parts  *parts
	tally  *tally
}

func newHTTP(h *notifiers.HTTP, rt http.RoundTripper, t *tally) source {
	s := &list{
		url: h.URL, every: defaulted(h.Refresh, 0, httpInterval),
		client: &http.Client{Transport: rt}, parts: newParts(""), tally: t,
	}
	return &poll{every: s.every, look: s.look}
}

func (s *list) look(ctx context.Context) view {
	targets, err := s.ask(ctx)
	s.tally.count(err)
	s.parts.set("", targets, err)
	return s.parts.view()
}

func (s *list) ask(ctx context.Context) ([]labels.Labels, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	header := http.Header{
		"Accept":                                {"application/json"},
		"X-Prometheus-Refresh-Interval-Seconds": {strconv.FormatFloat(s.every.Seconds(), 'f', -1, 64)},
	}
	body, _, err := get(ctx, s.client, s.url, header)
	if err == nil {
		groups, parseErr := parseJSON(body)
		if parseErr == nil {
			return targetsOf(groups, urlLabel, s.url), nil
		}
		err = parseErr
	}
	return nil, fmt.Errorf("get targets from %s: %w", httpx.RedactURL(s.url), err)
}

// get returns the body and the header of an answer that is 200. Errors do not hold
// the URL.
func get(ctx context.Context, c *http.Client, url string, header http.Header) ([]byte, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, nil, httpx.RedactError(err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := c.Do(req)
	if err != nil {
		return nil, nil, reason(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxListSize+1))
	switch {
	case resp.StatusCode != http.StatusOK:
		return nil, nil, statusError(resp.StatusCode, body)
	case err != nil:
		return nil, nil, fmt.Errorf("read the answer: %w", err)
	case len(body) > maxListSize:
		return nil, nil, fmt.Errorf("the answer is larger than %d bytes", maxListSize)
	}
	return body, resp.Header, nil
}

func statusError(status int, body []byte) error {
	said := strings.TrimSpace(strings.ToValidUTF8(string(body[:min(len(body), bodyShown)]), "\ufffd"))
	if said == "" {
		return fmt.Errorf("status %d", status)
	}
	return fmt.Errorf("status %d: %s", status, said)
}
