package httpx

import (
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

const (
	dialTimeout         = 10 * time.Second
	tcpKeepAlive        = 30 * time.Second
	tlsHandshakeTimeout = 10 * time.Second
)

// Transport is an http.RoundTripper that adds what ClientOptions ask for to each
// request: credentials and headers which the request does not have yet. It never
// changes the caller's request, and a request whose credentials cannot be had
// fails instead of going out without them. Requests that follow a redirect to
// another host, or from https to http, carry none of it.
//
// It speaks HTTP/1.1 with kept connections and uses the proxies of the
// environment. Deadlines for the whole request are the caller's, by its context.
type Transport struct {
	base    transportSource
	auth    authorizer // nil: none
	headers http.Header
	names   []string // of headers, sorted
	host    string   // "" leaves the URL's
}

var _ http.RoundTripper = (*Transport)(nil)

// RoundTripper builds a transport from o. It reads the named files once and
// returns an error if they are missing or unusable, or if the options
// contradict one another. The connection metrics go to set; they are left out
// when MetricsPrefix is "". It starts nothing; call Close when done.
func (o ClientOptions) RoundTripper(set *metrics.Set) (*Transport, error) {
	base, err := newTransportSource(o.TLS, o.transportBuilder(set))
	if err != nil {
		return nil, err
	}
	// Tokens come over the same TLS, without the headers meant for the endpoint.
	auth, err := o.authorizer(&Transport{base: base})
	if err != nil {
		return nil, err
	}
	headers, err := ParseHeaders(o.Headers)
	if err != nil {
		return nil, err
	}
	t := &Transport{base: base, auth: auth, headers: headers, host: headers.Get("Host")}
	headers.Del("Host")
	if auth != nil {
		headers.Del("Authorization")
	}
	t.names = slices.Sorted(maps.Keys(headers))
	return t, nil
}

func (o *ClientOptions) transportBuilder(set *metrics.Set) func(*tls.Config) roundTripper {
	dial := (&net.Dialer{Timeout: dialTimeout, KeepAlive: tcpKeepAlive}).DialContext
	if o.MetricsPrefix != "" {
		dial = newConnMetrics(set, o.MetricsPrefix).counted(dial)
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	disableKeepAlives, idleTimeout, idlePerHost := o.DisableKeepAlive, o.IdleConnTimeout, o.MaxIdleConnections
	manySmall := o.ManySmall
	return func(cfg *tls.Config) roundTripper {
		t := &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         dial,
			TLSClientConfig:     cfg,
			TLSHandshakeTimeout: tlsHandshakeTimeout,
			DisableKeepAlives:   disableKeepAlives,
			IdleConnTimeout:     idleTimeout,
			MaxIdleConnsPerHost: idlePerHost,
			Protocols:           protocols,
		}
		if manySmall {
			return newLean(t)
		}
		return t
	}
}

// RoundTrip sends req with what the options add.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	out, err := t.dressed(req)
	if err != nil {
		closeBody(req)
		return nil, err
	}
	base, err := t.base.transport()
	if err != nil {
		closeBody(req)
		return nil, err
	}
	return base.RoundTrip(out)
}

// dressed returns req itself when there is nothing to add, else a copy.
func (t *Transport) dressed(req *http.Request) (*http.Request, error) {
	if t.auth == nil && len(t.names) == 0 && t.host == "" || leavesEndpoint(req) {
		return req, nil
	}
	out := req.WithContext(req.Context()) // a shallow copy
	out.Header = make(http.Header, len(req.Header)+len(t.names)+1)
	maps.Copy(out.Header, req.Header)
	if t.host != "" && (req.Host == "" || req.Host == req.URL.Host) {
		out.Host = t.host
	}
	for _, name := range t.names {
		if _, ok := out.Header[name]; !ok {
			out.Header[name] = t.headers[name]
		}
	}
	if _, ok := out.Header["Authorization"]; !ok && t.auth != nil {
		value, err := t.auth.authorization(req.Context())
		if err != nil {
			return nil, fmt.Errorf("authorize request: %w", err)
		}
		out.Header["Authorization"] = []string{value}
	}
	return out, nil
}

// leavesEndpoint reports whether req follows a redirect to where the endpoint's
// credentials must not go.
func leavesEndpoint(req *http.Request) bool {
	first := req
	for first.Response != nil && first.Response.Request != nil {
		first = first.Response.Request
	}
	if first == req {
		return false
	}
	return first.URL.Hostname() != req.URL.Hostname() ||
		first.URL.Scheme == "https" && req.URL.Scheme != "https"
}

// Close closes the connections that are not in use. Requests under way finish.
func (t *Transport) Close() error {
	t.base.CloseIdleConnections()
	return nil
}

// CloseIdleConnections is what http.Client calls by that name.
func (t *Transport) CloseIdleConnections() { t.base.CloseIdleConnections() }

// closeBody honours the contract of http.RoundTripper for a request that is not sent.
func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}
