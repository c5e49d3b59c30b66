package alertmanager

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
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

// Endpoint says how one Alertmanager is reached and what it is told. Two that are
// equal are one and the same.
type Endpoint struct {
	// URL is its address, with the path of the API or without.
	URL string
	// WholeURL: alerts are posted to URL as it is, whatever its path.
	WholeURL    bool
	Transport   http.RoundTripper
	SendTimeout time.Duration // of one attempt; 0 is 10s
	// Relabeling is done to the labels of alerts on their way to this endpoint.
	Relabeling Relabeling

	// Kind is how it was found, and Labels what is known of it, for Status.
	Kind   string
	Labels labels.Labels
}

// endpoint is an Endpoint with its URL read.
type endpoint struct {
	Endpoint
	url    string // where alerts are posted, secrets included
	public string // the same without user and query
	addr   string // for people: public, or with a number where that is not unique
}

// readEndpoints returns the endpoints with their URLs read, each URL once, and
// those that are repeated. Unusable URLs are left out; the error joins what is
// wrong with each, known by its number from 1, since it may hold secrets.
func readEndpoints(all []Endpoint) (good []endpoint, repeated []string, err error) {
	var errs []error
	seen := map[string]bool{}
	for i, e := range all {
		u, err := e.postURL()
		if err != nil {
			errs = append(errs, fmt.Errorf("notifier url %d: %w", i+1, err))
			continue
		}
		p := endpoint{Endpoint: e, url: u.String(), public: publicURL(u)}
		if seen[p.url] {
			repeated = append(repeated, p.public)
			continue
		}
		seen[p.url] = true
		good = append(good, p)
	}
	return good, repeated, errors.Join(errs...)
}

// postURL returns the address that takes alerts. Its errors do not repeat the URL.
func (e *Endpoint) postURL() (*url.URL, error) {
	u, err := url.Parse(e.URL)
	switch {
	case err != nil:
		return nil, errors.New("not a valid URL") // err quotes parts of it, a password perhaps
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("must begin with http:// or https://")
	case u.Host == "":
		return nil, errors.New("has no host")
	}
	u.Fragment = ""
	if e.WholeURL {
		return u, nil
	}
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
