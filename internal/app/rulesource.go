package app

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"tocsin/config"
	"tocsin/internal/httpx"
	"tocsin/internal/objectstore"
)

// ObjectStorageOptions says how rule files in object storage are reached.
type ObjectStorageOptions struct {
	CredentialsFile string // of AWS, or of Google; "" is where their tools look
	ConfigFile      string // of AWS; likewise
	Profile         string // in the files of AWS
	Endpoint        string // of S3, if it is not AWS
	PathStyle       bool   // with Endpoint
}

const (
	// ruleIdleTimeout is how long a connection is kept for the next rule file.
	ruleIdleTimeout = 50 * time.Second
	// objectConnections is how many connections are kept for as many objects at once.
	objectConnections = 16
)

// fileClient is how rule and notifier files are fetched that are at a URL.
func fileClient() httpx.ClientOptions {
	return httpx.ClientOptions{MetricsPrefix: "tocsin_rule_files", MaxIdleConnections: 1, IdleConnTimeout: ruleIdleTimeout}
}

// ruleSources is what rule files are read from that are not on disk.
type ruleSources struct {
	urls        *httpx.Transport
	objects     *objectstore.Client // nil if no pattern stands for object storage
	objectConns *httpx.Transport    // likewise
}

// newRuleSources builds what the patterns of -rule need; m may be nil.
func newRuleSources(o *RuleOptions, m *metrics.Set) (*ruleSources, error) {
	if m == nil {
		m = metrics.NewSet()
	}
	urls, err := fileClient().RoundTripper(m)
	if err != nil {
		return nil, err
	}
	s := &ruleSources{urls: urls}
	if !slices.ContainsFunc(o.Files, config.IsLocation) {
		return s, nil
	}
	s.objectConns, err = httpx.ClientOptions{
		MetricsPrefix: "tocsin_object_storage", MaxIdleConnections: objectConnections, IdleConnTimeout: ruleIdleTimeout,
		TLS: httpx.TLS{CAFile: os.Getenv("AWS_CA_BUNDLE")},
	}.RoundTripper(m)
	if err != nil {
		return nil, fmt.Errorf("object storage: %w", err)
	}
	s.objects, err = objectstore.New(objectstore.Options{
		CredentialsFile: o.Objects.CredentialsFile, ConfigFile: o.Objects.ConfigFile, Profile: o.Objects.Profile,
		Endpoint: o.Objects.Endpoint, PathStyle: o.Objects.PathStyle,
		Transport: s.objectConns, Env: os.Getenv, Metrics: m,
	})
	if err != nil {
		return nil, fmt.Errorf("object storage: %w", err)
	}
	return s, nil
}

// transport is for rule URLs.
func (s *ruleSources) transport() http.RoundTripper { return s.urls }

// store is for rule files in object storage; nil if there are none.
func (s *ruleSources) store() config.ObjectStore {
	if s.objects == nil {
		return nil
	}
	return s.objects
}

// Close closes connections that are not in use.
func (s *ruleSources) Close() error {
	var err error
	if s.objectConns != nil {
		err = s.objectConns.Close()
	}
	return errors.Join(err, s.urls.Close())
}
