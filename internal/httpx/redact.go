package httpx

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
)

// hidden stands where a part of a URL was taken out.
const hidden = "xxxxx"

// RedactURL returns raw fit for logs, errors and metrics: user information and
// the values of the query are replaced, a fragment is dropped. What does not
// parse is not shown at all.
func RedactURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "<invalid URL>"
	}
	if u.Opaque != "" {
		return u.Scheme + ":" + hidden
	}
	user := u.User != nil
	query := u.RawQuery
	u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
	text := u.String()
	if user {
		text = strings.Replace(text, "//", "//"+hidden+"@", 1)
	}
	if query != "" {
		text += "?" + redactQuery(query)
	}
	return text
}

// redactQuery keeps the names that have a value; a lone word may be the secret itself.
func redactQuery(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		if name, _, ok := strings.Cut(pair, "="); ok {
			pairs[i] = name + "=" + hidden
		} else {
			pairs[i] = hidden
		}
	}
	return strings.Join(pairs, "&")
}

// RedactError returns err with the URL that net/http and net/url put into their
// errors redacted. Nothing else changes: errors.Is and errors.As see the same
// chain. An err without a URL is returned as it is.
func RedactError(err error) error {
	var ue *url.Error
	if !errors.As(err, &ue) {
		return err
	}
	if ue.Op == "parse" {
		// The cause quotes the piece it stumbled over, which may be of the password.
		return &redactedError{text: "parse URL: not a valid URL", err: err}
	}
	text, shown := err.Error(), RedactURL(ue.URL)
	if ue.URL != "" && shown != ue.URL {
		text = strings.ReplaceAll(text, strconv.Quote(ue.URL), strconv.Quote(shown))
		text = strings.ReplaceAll(text, ue.URL, shown)
	}
	if inner := ue.Err; inner != nil {
		// A redirect to a bad address nests one such error in another.
		if safe := RedactError(inner); safe != inner {
			text = strings.ReplaceAll(text, inner.Error(), safe.Error())
		}
	}
	if text == err.Error() {
		return err
	}
	return &redactedError{text: text, err: err}
}

type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }
func (e *redactedError) Unwrap() error { return e.err }

// Timeout keeps what callers ask of a net.Error.
func (e *redactedError) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.err, &t) && t.Timeout()
}

// IsSensitiveName tells whether the value of a header or argument with this name
// is likely a credential, and so must not be shown.
func IsSensitiveName(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{
		"auth", "cookie", "credential", "key", "passw", "secret", "session", "signature", "token",
	} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
