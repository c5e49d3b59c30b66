package datasource

import (
	"net/textproto"
	"net/url"
	"strings"

	"tocsin/config"
	"tocsin/internal/httpx"
	"tocsin/rules"
)

// Request returns q as a curl command, or "" for a type that is not supported.
// It shows no user or password of the URL, no value of the URL's arguments
// unless ShowURL, and no value of a header or param whose name sounds secret.
func (c *Client) Request(q rules.Query) string {
	p, err := c.protocol(q.Type)
	if err != nil {
		return ""
	}
	args := p.arguments(make([]argument, 0, usualArguments+len(q.Params)), &q)
	return commandLine(p.endpoint().of(q.Tenant), args, q.Headers)
}

// commandLine returns the curl command that asks args of e.
func commandLine(e *endpoint, args []argument, headers []config.Pair) string {
	var b strings.Builder
	b.WriteString("curl -X POST")
	for _, h := range headers {
		name := textproto.CanonicalMIMEHeaderKey(h.Name)
		b.WriteString(" -H ")
		b.WriteString(quote(name + ": " + masked(name, h.Value)))
	}
	for _, a := range args {
		b.WriteString(" --data-urlencode ")
		b.WriteString(quote(url.QueryEscape(a.name) + "=" + masked(a.name, a.value)))
	}
	b.WriteByte(' ')
	b.WriteString(quote(e.display(args)))
	return b.String()
}

// masked returns value unless name sounds as if it were secret.
func masked(name, value string) string {
	if httpx.IsSensitiveName(name) {
		return secret
	}
	return value
}

// quote returns s as one word of a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
