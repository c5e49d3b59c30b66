package rules

import (
	"testing"

	"github.com/prometheus/prometheus/model/labels"
)

// The number is the one a running vmalert v1.150 gave the same alert.
func TestAlertIDIsVmalerts(t *testing.T) {
	l := labels.FromStrings("alertgroup", "demo", "alertname", "AlwaysFiring",
		"cluster", "dev", "severity", "page", "team", "infra")
	if got, want := alertID(l), uint64(11145849433096643897); got != want {
		t.Errorf("got %d, want %d", got, want)
	}
}
