package datasource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"tocsin/internal/httpx"
)

// victoriaHeader is in the answers of VictoriaMetrics, also of versions that do
// not count the series they read.
const victoriaHeader = "X-Server-Hostname"

// maxRedirects is how many redirects of one request are followed.
const maxRedirects = 5

// ask sends m to s and reads the answer, once more if the connection breaks.
func (c *Client) ask(ctx context.Context, s service, m *message) (answer, error) {
	ans, err := c.once(ctx, s, m)
	if err != nil && ctx.Err() == nil && brokenConnection(err) {
		c.counters.retries.Inc()
		ans, err = c.once(ctx, s, m)
	}
	if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		// What a transport reports of a query cut short may be anything.
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", m.shown, err)
	}
	return ans, err
}

func (c *Client) once(ctx context.Context, s service, m *message) (answer, error) {
	resp, err := c.send(ctx, m)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, done, err := decompress(resp)
	if err != nil {
		return answer{}, err
	}
	defer done()
	if resp.StatusCode/100 != 2 {
		return answer{}, refusal(resp, s, body)
	}
	ans, err := s.decode(body, c.limit)
	if err != nil {
		return answer{}, explain(resp, err)
	}
	ans.victoria = ans.SeriesFetched >= 0 || resp.Header.Get(victoriaHeader) != ""
	return ans, nil
}

// send posts m and follows redirects. A redirect keeps the method and the form,
// whatever its status: the form is the query.
func (c *Client) send(ctx context.Context, m *message) (*http.Response, error) {
	at := m.url
	for range maxRedirects + 1 {
		resp, err := c.transport.RoundTrip(m.request(ctx, at))
		if err != nil {
			return nil, fmt.Errorf("sending the query: %w", err)
		}
		if !redirects(resp) {
			return resp, nil
		}
		drain(resp)
		if at, err = redirected(at, resp.Header.Get("Location")); err != nil {
			return nil, fmt.Errorf("answered %d: %w", resp.StatusCode, err)
		}
		c.counters.redirects.Inc()
	}
	return nil, fmt.Errorf("redirected more than %d times", maxRedirects)
}

func redirects(resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return resp.Header.Get("Location") != ""
	}
	return false
}

// redirected returns where location leads from. Only the same host is trusted
// with what a request carries, and never over a connection less safe.
func redirected(from *url.URL, location string) (*url.URL, error) {
	to, err := from.Parse(location)
	if err != nil {
		return nil, errors.New("redirect to an address that does not parse")
	}
	if to.Scheme != from.Scheme && to.Scheme != "https" {
		return nil, fmt.Errorf("redirect from %s to %s is not followed", from.Scheme, to.Scheme)
	}
	if to.Host == httpx.PlainHost(from.Host) {
		to.Host = from.Host // the server does not know that its name is balanced
	}
	if to.Hostname() != from.Hostname() && to.Hostname() != httpx.PlainHost(from.Hostname()) {
		return nil, fmt.Errorf("redirect to another host, %q, is not followed; use its address as the datasource URL", to.Host)
	}
	to.User = nil
	return to, nil
}

// brokenConnection reports whether err says that the connection went away, not
// that the server refused it or the network is slow.
func brokenConnection(err error) bool {
	for _, e := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, e) {
			return true
		}
	}
	// net/http does not export this one.
	return strings.Contains(err.Error(), "server closed idle connection")
}
