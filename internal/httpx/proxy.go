package httpx

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// proxy returns which proxy a request goes through. Its error shows nothing of the
// URL.
func (r *Routing) proxy() (func(*http.Request) (*url.URL, error), error) {
	if r.ProxyURL == "" {
		if r.ProxyAuth != (BasicAuth{}) {
			return nil, errors.New("proxy has a user but no URL")
		}
		return http.ProxyFromEnvironment, nil
	}
	u, err := url.Parse(string(r.ProxyURL))
	switch {
	case err != nil:
		return nil, errors.New("proxy URL is not valid")
	case u.Hostname() == "":
		return nil, errors.New("proxy URL has no host")
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
	default:
		return nil, errors.New("proxy URL must begin with http://, https://, socks5:// or socks5h://")
	}
	if r.ProxyAuth == (BasicAuth{}) {
		return http.ProxyURL(u), nil
	}
	p := &proxyWithUser{url: *u, user: r.ProxyAuth.files()}
	return p.proxy, nil
}

// proxyWithUser is a proxy with a user that may be read from files.
type proxyWithUser struct {
	url  url.URL // never changed
	user *basicAuth
}

func (p *proxyWithUser) proxy(req *http.Request) (*url.URL, error) {
	username, password, err := p.user.current(req.Context())
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	u := p.url
	u.User = url.UserPassword(username, password)
	return &u, nil
}
