package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/spf13/pflag"

	"tocsin/cmd/tocsin-tool/internal/plan"
	"tocsin/internal/envvar"
	"tocsin/internal/httpx"
)

// daemonOptions are those options of a daemon that say where it answers and how
// it lets one in.
type daemonOptions struct {
	listenAddrs []string
	tls         []bool // pairs with listenAddrs
	pathPrefix  string

	username, password string
	reloadKey          string

	envEnabled bool
	envPrefix  string
}

func (o *daemonOptions) flags() *pflag.FlagSet {
	fs := pflag.NewFlagSet("daemon", pflag.ContinueOnError)
	fs.SortFlags = false
	fs.StringSliceVar(&o.listenAddrs, "httpListenAddr", nil, "where it listens, the first if there are several (default :8880)")
	fs.BoolSliceVar(&o.tls, "tls", nil, "whether that is asked by https")
	fs.Lookup("tls").NoOptDefVal = "true"
	fs.StringVar(&o.pathPrefix, "http.pathPrefix", "", "path under which it serves")
	fs.StringVar(&o.username, "httpAuth.username", "", "user for basic authentication")
	fs.StringVar(&o.password, "httpAuth.password", "", "password for -httpAuth.username, or file:///path or an http(s) URL to read it from")
	fs.StringVar(&o.reloadKey, "reloadAuthKey", "", "key of /-/reload, instead of user and password; or where to read it from")
	fs.BoolVar(&o.envEnabled, "envflag.enable", false, "read those of these flags that are not given from the environment")
	fs.StringVar(&o.envPrefix, "envflag.prefix", "", "prefix of these environment variables")
	return fs
}

// complete reads flags that were not given from the environment, if that is
// asked for.
func (o *daemonOptions) complete(fs *pflag.FlagSet, lookup envvar.Lookup) error {
	if !o.envEnabled {
		return nil
	}
	return setFromEnv(fs, o.envPrefix, lookup)
}

// locate returns the daemon at address or, if that is empty, where its own
// options say.
func (o *daemonOptions) locate(address string) (*plan.Daemon, error) {
	if address != "" {
		u, err := httpx.ParseURL(address)
		if err != nil {
			return nil, fmt.Errorf("--url: %w", err)
		}
		return &plan.Daemon{URL: u}, nil
	}
	listen := ":8880"
	if len(o.listenAddrs) > 0 {
		listen = o.listenAddrs[0]
	}
	host, err := reachable(listen)
	if err != nil {
		return nil, fmt.Errorf("-httpListenAddr: %w; give --url instead", err)
	}
	u := &url.URL{Scheme: "http", Host: host}
	if len(o.tls) > 0 && o.tls[0] {
		u.Scheme = "https"
	}
	if prefix := strings.Trim(o.pathPrefix, "/"); prefix != "" {
		u.Path = "/" + prefix
	}
	return &plan.Daemon{URL: u}, nil
}

// admit gives d the credentials that it wants; ctx bounds reading them.
func (o *daemonOptions) admit(ctx context.Context, d *plan.Daemon, transport http.RoundTripper) (err error) {
	if o.reloadKey != "" {
		d.Key, err = httpx.ReadSecret(ctx, o.reloadKey, transport)
		if err != nil {
			err = fmt.Errorf("read the secret for -reloadAuthKey: %w", err)
		}
		return err
	}
	if o.username == "" {
		return nil // as the daemon does, which then admits everyone
	}
	d.Username = o.username
	if d.Password, err = httpx.ReadSecret(ctx, o.password, transport); err != nil {
		err = fmt.Errorf("read the secret for -httpAuth.password: %w", err)
	}
	return err
}

// reachable returns the host and port at which one finds what listens at addr:
// loopback, if that is every address of the machine.
func reachable(addr string) (string, error) {
	host, service, err := net.SplitHostPort(addr)
	if err != nil {
		return "", errors.New("not of the form host:port")
	}
	port, err := net.LookupPort("tcp", service)
	if err != nil {
		return "", errors.New("the port is not one of TCP")
	}
	if port == 0 {
		return "", errors.New("port 0 stands for one that is chosen at start")
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip.Is6() {
			host = "::1"
		}
	}
	return net.JoinHostPort(host, fmt.Sprint(port)), nil
}
