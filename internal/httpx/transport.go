package httpx

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
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
// It speaks HTTP/1.1 with kept connections and uses the proxy of the options, else
// those of the environment. Deadlines for the whole request are the caller's, by its context.
type Transport struct {
	base    transportSource
	auth    authorizer // nil: none
	tokens  *Transport // for auth; nil: none
	stays   bool       // refuses to follow redirects
	headers http.Header
	names   []string // of headers, sorted
	host    string   // "" leaves the URL's

	balancer *balancer // of the requests below base; nil in tokens
}

var _ http.RoundTripper = (*Transport)(nil)

// RoundTripper builds a transport from o. It reads the named files once and
// returns an error if they are missing or unusable, or if the options
// contradict one another. The connection metrics go to set; they are left out
// when MetricsPrefix is "". It starts nothing; call Close when done.
func (o ClientOptions) RoundTripper(set *metrics.Set) (*Transport, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	balancer := newBalancer(&o, set)
	base, err := newTransportSource(o.TLS, balancer.over(o.transportBuilder(set)))
	if err != nil {
		return nil, err
	}
	t, err := o.transport(base)
	if err != nil {
		return nil, err
	}
	t.balancer = balancer
	// Tokens come without the headers meant for the endpoint.
	if o.OAuth2.isSet() {
		if t.tokens, err = o.OAuth2.tokenTransport(base); err != nil {
			return nil, err
		}
	}
	if t.auth, err = o.authorizer(t.tokens); err != nil {
		return nil, err
	}
	if t.auth != nil {
		t.headers.Del("Authorization")
		t.names = slices.Sorted(maps.Keys(t.headers))
	}
	return t, nil
}

// Validate returns what makes the options unusable whatever the files they name
// hold. It opens none of them, and its error shows no secret.
func (o *ClientOptions) Validate() error {
	if err := o.checkAuth(); err != nil {
		return err
	}
	if err := o.TLS.check(); err != nil {
		return err
	}
	if _, err := o.Routing.proxy(); err != nil {
		return err
	}
	_, err := ParseHeaders(o.Headers)
	return err
}

// transport returns a transport over base that adds the headers.
func (o *ClientOptions) transport(base transportSource) (*Transport, error) {
	headers, err := ParseHeaders(o.Headers)
	if err != nil {
		return nil, err
	}
	t := &Transport{base: base, headers: headers, host: headers.Get("Host"), stays: o.Routing.NoRedirects}
	headers.Del("Host")
	t.names = slices.Sorted(maps.Keys(headers))
	return t, nil
}

func (o *ClientOptions) transportBuilder(set *metrics.Set) func(*tls.Config) roundTripper {
	dial := o.dialer()
	if o.MetricsPrefix != "" {
		dial = newConnMetrics(set, o.MetricsPrefix).counted(dial)
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	disableKeepAlives, idleTimeout, idlePerHost := o.DisableKeepAlive, o.IdleConnTimeout, o.MaxIdleConnections
	manySmall := o.ManySmall
	proxy, _ := o.Routing.proxy() // Validate has seen the error
	return func(cfg *tls.Config) roundTripper {
		t := &http.Transport{
			Proxy:               proxy,
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

var errRedirect = errors.New("redirects are not to be followed")

// RoundTrip sends req with what the options add.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.stays && req.Response != nil {
		closeBody(req)
		return nil, errRedirect
	}
	out, err := t.dressed(req)
	if err != nil {
		closeBody(req)
		return nil, err
	}
	base, err := t.base.transport(req.Context())
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

// Close closes the connections that are not in use and ends the look-ups for
// balanced hosts. Requests under way finish.
func (t *Transport) Close() error {
	t.CloseIdleConnections()
	if t.balancer != nil {
		t.balancer.close()
	}
	return nil
}

// CloseIdleConnections is what http.Client calls by that name.
func (t *Transport) CloseIdleConnections() {
	t.base.CloseIdleConnections()
	if t.tokens != nil {
		t.tokens.CloseIdleConnections()
	}
}

// closeBody honours the contract of http.RoundTripper for a request that is not sent.
func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}
