package awsauth

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"
)

// early is how long before they expire credentials are renewed.
const early = 5 * time.Minute

// usualRegion is where requests go that no setting gives a region.
const usualRegion = "us-east-1"

// Options says where credentials are looked for. Every file is read anew each time.
type Options struct {
	CredentialsFile string // "" is the file that AWS' tools read
	ConfigFile      string // likewise
	Profile         string // "" is that of the environment, or else "default"

	Env       func(name string) string // looks up environment variables
	Transport http.RoundTripper        // to services
	Direct    http.RoundTripper        // to metadata services of the machine: without a proxy
}

// Source finds credentials and keeps them until they are about to expire. It may
// be used concurrently.
type Source struct {
	opts Options

	turn    chan struct{} // held by who may touch the field below; waiting for it ends with the request
	current Credentials
}

// NewSource returns a Source that has looked for nothing yet.
func NewSource(o Options) *Source {
	return &Source{opts: o, turn: make(chan struct{}, 1)}
}

// Credentials returns credentials that are good for a while.
func (s *Source) Credentials(ctx context.Context) (Credentials, error) {
	return s.other(ctx, Credentials{})
}

// Renewed returns others than those that have been refused, or an error if there
// are no others.
func (s *Source) Renewed(ctx context.Context, refused Credentials) (Credentials, error) {
	c, err := s.other(ctx, refused)
	if err == nil && sameKeys(c, refused) {
		err = fmt.Errorf("there are no others than those of access key %s", c.AccessKeyID)
	}
	return c, err
}

// other returns the current credentials if they are fresh and not those refused,
// and else looks for them.
func (s *Source) other(ctx context.Context, refused Credentials) (Credentials, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return Credentials{}, fmt.Errorf("wait for credentials: %w", ctx.Err())
	}
	if s.current.AccessKeyID != "" && !sameKeys(s.current, refused) && s.lasts(early) {
		return s.current, nil
	}
	found, err := s.opts.find(ctx)
	switch {
	case err == nil:
		s.current = found
	case s.current.AccessKeyID == "" || sameKeys(s.current, refused) || !s.lasts(0):
		return Credentials{}, fmt.Errorf("find credentials: %w", err)
	}
	return s.current, nil
}

// lasts reports whether the current credentials are good for d more.
func (s *Source) lasts(d time.Duration) bool {
	return s.current.Expires.IsZero() || time.Until(s.current.Expires) > d
}

func sameKeys(a, b Credentials) bool {
	return a.AccessKeyID == b.AccessKeyID && a.SecretKey == b.SecretKey && a.Token == b.Token
}

// Settings are what the environment and the shared files say of services.
type Settings struct {
	Region   string // never ""
	Endpoint string // address of S3; "" is AWS'
}

// Settings reads them anew.
func (o *Options) Settings() (Settings, error) {
	p, err := o.profile()
	if err != nil {
		return Settings{}, err
	}
	return Settings{
		Region:   cmp.Or(o.Env("AWS_REGION"), o.Env("AWS_DEFAULT_REGION"), p["region"], usualRegion),
		Endpoint: cmp.Or(o.Env("AWS_ENDPOINT_URL_S3"), o.Env("AWS_ENDPOINT_URL"), p["endpoint_url"]),
	}, nil
}

// profile returns the profile in force; an empty one if nobody asked for it and it
// is not there.
func (o *Options) profile() (profile, error) {
	all, err := o.readProfiles()
	if err != nil {
		return nil, err
	}
	return all.named(o.profileName())
}

// profileName returns the name of the profile, and whether somebody asked for it.
func (o *Options) profileName() (name string, asked bool) {
	name = cmp.Or(o.Profile, o.Env("AWS_PROFILE"), o.Env("AWS_DEFAULT_PROFILE"))
	return cmp.Or(name, "default"), name != ""
}

func (ps profiles) named(name string, asked bool) (profile, error) {
	p, found := ps[name]
	if !found && asked {
		return nil, fmt.Errorf("there is no profile %q in the shared files", name)
	}
	return p, nil
}
