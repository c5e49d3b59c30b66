package httpx

import (
	"errors"
	"net/url"
)

// ParseURL parses the address of an endpoint. It must be absolute, http or
// https, with a host. Errors do not repeat the address, which may hold secrets.
func ParseURL(raw string) (*url.URL, error) {
	if raw == "" {
		return nil, errors.New("URL is empty")
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("not a valid URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("URL must begin with http:// or https://")
	case u.Hostname() == "":
		return nil, errors.New("URL has no host")
	}
	return u, nil
}
