package discovery

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

	"tocsin/config"
	"tocsin/internal/httpx"
)

// labelName returns name with an underscore for each character that label names do
// not have.
func labelName(name string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, name)
}

// pairs returns a map sorted by name.
func pairs(m map[string]string) []config.Pair {
	var all []config.Pair
	for _, name := range slices.Sorted(maps.Keys(m)) {
		all = append(all, config.Pair{Name: name, Value: m[name]})
	}
	return all
}

// reason returns why a request failed, without its URL.
func reason(err error) error {
	var u *url.Error
	for errors.As(err, &u) {
		if u.Op == "parse" {
			return httpx.RedactError(u)
		}
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("no answer in time")
	}
	return err
}
