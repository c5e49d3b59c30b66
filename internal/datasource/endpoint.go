package datasource

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"tocsin/internal/httpx"
)

// secret stands where a secret is not shown.
const secret = "<secret>"

// argument is one argument of a query, unescaped.
type argument struct{ name, value string }

// endpoint is an address queries are posted to. It is never modified.
type endpoint struct {
	url   url.URL    // without user and fragment
	query []argument // those of url, in order
	show  bool       // whether people may see the values of query
	shown string     // the address as people may see it

	// The headers of queries: of those that accept a compressed answer, and of those
	// that only accept one that is not.
	compressed, identity http.Header
}

// newEndpoint returns the endpoint at path below raw. Its errors do not repeat
// raw, which may hold a password.
func newEndpoint(raw, path string, show bool) (*endpoint, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("datasource URL does not parse")
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("datasource URL has scheme %q where http or https is needed", u.Scheme)
	}
	if httpx.PlainHost(u.Hostname()) == "" {
		return nil, errors.New("datasource URL names no host")
	}
	e := &endpoint{url: *u, show: show}
	e.compressed, e.identity = queryHeader("gzip", u.User), queryHeader("identity", u.User)
	e.url.User = nil
	e.url.Fragment, e.url.RawFragment = "", ""
	if path != "" {
		e.url.Path = strings.TrimRight(u.Path, "/") + path
		e.url.RawPath = strings.TrimRight(u.EscapedPath(), "/") + path
	}
	if e.query, err = splitQuery(u.RawQuery); err != nil {
		return nil, err
	}
	e.shown = e.display(nil)
	return e, nil
}

// queryHeader returns the headers of a query whose answer may be encoded as accept
// says; user is that of the URL, or nil.
func queryHeader(accept string, user *url.Userinfo) http.Header {
	h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept-Encoding": {accept}}
	if user != nil {
		password, _ := user.Password()
		h["Authorization"] = []string{"Basic " + base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password))}
	}
	return h
}

func splitQuery(raw string) ([]argument, error) {
	var args []argument
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, nameErr := url.QueryUnescape(name)
		value, valueErr := url.QueryUnescape(value)
		if nameErr != nil || valueErr != nil {
			return nil, errors.New("datasource URL has a query argument that does not parse")
		}
		args = append(args, argument{name, value})
	}
	return args, nil
}

// without returns e without the URL's arguments called name.
func (e *endpoint) without(name string) *endpoint {
	if !named(e.query, name) {
		return e
	}
	c := *e
	c.query = c.kept([]argument{{name: name}})
	c.url.RawQuery = string(appendForm(nil, c.query))
	c.shown = c.display(nil)
	return &c
}

// target returns the address for a query asked with args: the URL without those
// of its arguments that args replace. The caller must not modify it.
func (e *endpoint) target(args []argument) *url.URL {
	if !overlap(e.query, args) {
		return &e.url
	}
	u := e.url
	u.RawQuery = string(appendForm(nil, e.kept(args)))
	return &u
}

// kept returns the URL's arguments that args do not replace.
func (e *endpoint) kept(args []argument) []argument {
	kept := make([]argument, 0, len(e.query))
	for _, a := range e.query {
		if !named(args, a.name) {
			kept = append(kept, a)
		}
	}
	return kept
}

// display returns the address for a query asked with args as people may see it.
func (e *endpoint) display(args []argument) string {
	u := e.url
	u.RawQuery = ""
	shown := u.String()
	for i, a := range e.kept(args) {
		if i == 0 {
			shown += "?"
		} else {
			shown += "&"
		}
		value := secret
		if e.show {
			value = url.QueryEscape(a.value)
		}
		shown += url.QueryEscape(a.name) + "=" + value
	}
	return shown
}

func overlap(a, b []argument) bool {
	for _, x := range a {
		if named(b, x.name) {
			return true
		}
	}
	return false
}

func named(args []argument, name string) bool {
	for _, a := range args {
		if a.name == name {
			return true
		}
	}
	return false
}
