package httpx

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// ParseURL parses the address of an endpoint. It must be absolute, http or
// https, with a host, which may be balanced. Errors do not repeat the address, which may hold secrets.
func ParseURL(raw string) (*url.URL, error) {
	if raw == "" {
		return nil, errors.New("URL is empty")
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("not a valid URL")
	case strings.HasPrefix(u.Scheme, dnsPrefix), strings.HasPrefix(u.Scheme, srvPrefix):
		return nil, fmt.Errorf("URL must begin with http:// or https://; %s belongs before the host", u.Scheme[:len(dnsPrefix)])
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("URL must begin with http:// or https://")
	case PlainHost(u.Hostname()) == "":
		return nil, errors.New("URL has no host")
	case u.Port() != "" && !validPort(u.Port()):
		return nil, errors.New("URL has a port that is not between 1 and 65535")
	}
	return u, nil
}

// validPort reports whether a number is one of a TCP port.
func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}
