package template

import (
	"net"
	"net/url"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// title makes the first letter of each word a capital.
func title(s string) string {
	// A Caser has state, so it is made for each use.
	return cases.Title(language.AmericanEnglish, cases.NoLower).String(s)
}

// stripPort returns the host of host:port.
func stripPort(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}

// stripDomain returns the host without its domain and with its port, if any.
// Addresses of numbers stay as they are.
func stripDomain(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	if net.ParseIP(host) != nil {
		return address
	}
	host, _, _ = strings.Cut(host, ".")
	if port == "" {
		return host
	}
	return net.JoinHostPort(host, port)
}

var crlfReplacer = strings.NewReplacer("\n", `\n`, "\r", `\r`)

func crlfEscape(s string) string { return crlfReplacer.Replace(s) }

var htmlReplacer = strings.NewReplacer(
	"<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;", "&", "&amp;")

func htmlEscape(s string) string { return htmlReplacer.Replace(s) }

// quotesEscape escapes s as the inside of a JSON string. The characters < and '
// are escaped too, so that the result may stand in HTML.
func quotesEscape(s string) string {
	if !needsEscape(s) {
		return s
	}
	return string(appendEscaped(make([]byte, 0, len(s)+16), s))
}

// jsonEscape returns s as a JSON string, escaped as quotesEscape does.
func jsonEscape(s string) string {
	b := make([]byte, 0, len(s)+18)
	b = append(b, '"')
	b = appendEscaped(b, s)
	return string(append(b, '"'))
}

func needsEscape(s string) bool {
	for i := range len(s) {
		if mustEscape(s[i]) {
			return true
		}
	}
	return false
}

func mustEscape(c byte) bool {
	return c < ' ' || c == '"' || c == '\\' || c == '<' || c == '\''
}

func appendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	for i := range len(s) {
		c := s[i]
		if !mustEscape(c) {
			dst = append(dst, c)
			continue
		}
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		case '\b':
			dst = append(dst, `\b`...)
		case '\f':
			dst = append(dst, `\f`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

// graphLink returns the path of the page that draws an expression.
func graphLink(expr string) string { return "/graph?g0.expr=" + url.QueryEscape(expr) + "&g0.tab=0" }

// tableLink returns the path of the page that lists the values of an expression.
func tableLink(expr string) string { return "/graph?g0.expr=" + url.QueryEscape(expr) + "&g0.tab=1" }
