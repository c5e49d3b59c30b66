// Package receiver takes notifications as an Alertmanager does and tells each
// change of an alert once, however often it is sent again.
package receiver

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Alert is one alert as posted to an Alertmanager.
type Alert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
}

// Name returns the label alertname.
func (a *Alert) Name() string { return a.Labels["alertname"] }

// key returns the identity of the alert: its label set.
func (a *Alert) key() string {
	var b strings.Builder
	for _, l := range sorted(a.Labels) {
		b.WriteString(l.name)
		b.WriteByte(0xff)
		b.WriteString(l.value)
		b.WriteByte(0xff)
	}
	return b.String()
}

// resolved reports whether the alert has ended. One without an end goes on.
func (a *Alert) resolved(now time.Time) bool {
	return !a.EndsAt.IsZero() && !a.EndsAt.After(now)
}

type pair struct{ name, value string }

// sorted returns the pairs of m by name.
func sorted(m map[string]string) []pair {
	pairs := make([]pair, 0, len(m))
	for name, value := range m {
		pairs = append(pairs, pair{name, value})
	}
	slices.SortFunc(pairs, func(a, b pair) int { return cmp.Compare(a.name, b.name) })
	return pairs
}
