// Package objectstore reads rule files from S3, from servers that speak its
// protocol, and from Google Cloud Storage. A Client is a config.ObjectStore.
//
// It asks for lists of objects and for objects, nothing else, which takes a few
// requests of two HTTP APIs: the libraries for them would cost every daemon
// megabytes, most of which read no rules from there. A Client keeps credentials
// until they expire and the regions of buckets; objects it does not keep. It starts
// no goroutine.
package objectstore

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"tocsin/config"
	"tocsin/internal/httpx"
	"tocsin/internal/objectstore/awsauth"
)

// Options says how object storage is reached.
type Options struct {
	// CredentialsFile is a shared credentials file of AWS, or a JSON file of Google.
	// "" is where the tools of either look.
	CredentialsFile string
	ConfigFile      string // shared configuration file of AWS
	Profile         string // in the files of AWS

	Endpoint  string // of S3, instead of AWS'; http or https
	PathStyle bool   // there, name the bucket in the path, not before the host

	Transport http.RoundTripper
	Env       func(name string) string // looks up environment variables
	Metrics   *metrics.Set
}

// Client reads object storage. It may be used concurrently.
type Client struct {
	stores map[string]store // by scheme
}

var _ config.ObjectStore = (*Client)(nil)

// store is one kind of object storage.
type store interface {
	list(ctx context.Context, prefix config.Location) ([]config.Object, error)
	read(ctx context.Context, at config.Location, known string, most int64) ([]byte, string, error)
}

// New returns a Client that has asked for nothing yet. It returns an error if the
// endpoint is not the address of a server.
func New(o Options) (*Client, error) {
	if o.Endpoint != "" {
		if _, err := httpx.ParseURL(o.Endpoint); err != nil {
			return nil, fmt.Errorf("endpoint of S3: %w", err)
		}
	}
	direct := directTransport()
	return &Client{stores: map[string]store{
		"s3": newS3(newAsker(&o, "s3"), awsauth.Options{
			CredentialsFile: o.CredentialsFile, ConfigFile: o.ConfigFile, Profile: o.Profile,
			Env: o.Env, Transport: o.Transport, Direct: direct,
		}, o.Endpoint, o.PathStyle),
		"gs": newGCS(newAsker(&o, "gs"), &googleAuth{
			file: o.CredentialsFile, env: o.Env, transport: o.Transport, direct: direct, turn: make(chan struct{}, 1),
		}),
	}}, nil
}

// directTransport reaches services of the machine itself, where no proxy is, and
// keeps no connections.
func directTransport() http.RoundTripper {
	const patience = 2 * time.Second
	return &http.Transport{
		DialContext:           (&net.Dialer{Timeout: patience}).DialContext,
		ResponseHeaderTimeout: 5 * time.Second,
		DisableKeepAlives:     true,
	}
}

// List implements config.ObjectStore.
func (c *Client) List(ctx context.Context, prefix config.Location) ([]config.Object, error) {
	s, err := c.store(prefix)
	if err != nil {
		return nil, err
	}
	return s.list(ctx, prefix)
}

// Read implements config.ObjectStore.
func (c *Client) Read(ctx context.Context, at config.Location, known string, most int64) ([]byte, string, error) {
	s, err := c.store(at)
	if err != nil {
		return nil, "", err
	}
	return s.read(ctx, at, known, most)
}

func (c *Client) store(at config.Location) (store, error) {
	s := c.stores[at.Scheme]
	if s == nil {
		return nil, fmt.Errorf("there is no object storage by the name of %s://", at.Scheme)
	}
	return s, nil
}
