package alertmanager

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const alertsPath = "/api/v2/alerts"

const (
	defaultBatchSize   = 1000
	defaultSendTimeout = 10 * time.Second
)

// Options is what targets share.
type Options struct {
	MaxBatchSize int // alerts per request; 0 is 1000
	// MaxAge is how long the end of an alert is kept for a peer that does not take
	// it; 0 is 120 hours, as long as Alertmanager remembers whom it told of what.
	MaxAge  time.Duration
	ShowURL bool // Status shows addresses with user, password and query
	// SuppressDuplicates keeps quiet about an endpoint that is given twice.
	SuppressDuplicates bool
	Log                *slog.Logger
}

// Endpoint says how one Alertmanager is reached.
type Endpoint struct {
	// URL is its address, with the path of the API or without.
	URL         string
	Transport   http.RoundTripper
	SendTimeout time.Duration // of one attempt; 0 is 10s
}

// endpoint is an Endpoint's URL, read.
type endpoint struct {
	url  string // where alerts are posted, secrets included
	addr string // the same for people: without user and query; unique among targets
}

// NewTargets returns one target per endpoint, in order, for a Set to start. An
// endpoint that is given twice makes one target. The error joins what is wrong
// with each URL, known by its number from 1, since it may hold secrets.
func NewTargets(o Options, endpoints []Endpoint) ([]*Target, error) {
	var targets []*Target
	var errs []error
	seen := map[string]bool{}
	addrs := map[string]int{}
	for i, e := range endpoints {
		u, err := postURL(e.URL)
		if err != nil {
			errs = append(errs, fmt.Errorf("notifier url %d: %w", i+1, err))
			continue
		}
		p := endpoint{url: u.String(), addr: publicURL(u)}
		if seen[p.url] {
			if !o.SuppressDuplicates {
				o.Log.Warn("alertmanager is given more than once", "addr", p.addr)
			}
			continue
		}
		seen[p.url] = true
		// Endpoints that differ only in what is hidden need different names.
		addrs[p.addr]++
		if n := addrs[p.addr]; n > 1 {
			p.addr += "#" + strconv.Itoa(n)
		}
		targets = append(targets, newTarget(o, e, p))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return targets, nil
}

func newTarget(o Options, e Endpoint, p endpoint) *Target {
	t := &Target{
		endpoint: p, shown: p.addr,
		client:  &http.Client{Transport: e.Transport, CheckRedirect: sameHost},
		timeout: e.SendTimeout, most: o.MaxBatchSize,
		health: &health{addr: p.addr, log: o.Log},
	}
	if o.ShowURL {
		t.shown = p.url
	}
	if t.timeout <= 0 {
		t.timeout = defaultSendTimeout
	}
	if t.most <= 0 {
		t.most = defaultBatchSize
	}
	t.mail = newMailbox(p.addr, t.most)
	if o.MaxAge > 0 {
		t.mail.queue.retention = o.MaxAge
	}
	return t
}

// postURL returns the address that takes alerts. Its errors do not repeat raw.
func postURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("not a valid URL") // err quotes parts of it, a password perhaps
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("must begin with http:// or https://")
	case u.Host == "":
		return nil, errors.New("has no host")
	}
	u.Fragment = ""
	if path := strings.TrimRight(u.Path, "/"); strings.HasSuffix(path, alertsPath) {
		return u, nil
	}
	return u.JoinPath(alertsPath), nil
}

// publicURL returns u without what may be secret.
func publicURL(u *url.URL) string {
	c := *u
	c.User, c.RawQuery = nil, ""
	return c.String()
}
