package journal

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
	"tocsin/rules"
)

func TestNoticeIsReadAsItWasStored(t *testing.T) {
	n := rules.Notification{
		Group: config.Key{File: "f.yml", Name: "g"}, Headers: []config.Pair{{Name: "X", Value: "y"}},
		Alerts: []rules.Alert{{
			Labels: labels.FromStrings("alertname", "A", "a", "x\"\n\xff,="), Annotations: labels.FromStrings("s", "t"),
			StartsAt: time.Unix(1, 2).UTC(), EndsAt: time.Unix(3, 4).UTC(), GeneratorURL: rules.Link{Base: "http://t/", AlertID: 7}, Resolved: true,
		}},
	}
	got, err := decodeNotice(appendNotice(nil, &n, &n.Alerts[0]))
	if err != nil {
		t.Fatal(err)
	}
	equal := cmp.Comparer(func(a, b labels.Labels) bool { return a == b })
	sameText := cmp.Comparer(func(a, b rules.Link) bool { return a.String() == b.String() })
	if diff := cmp.Diff(n, got, equal, sameText); diff != "" {
		t.Errorf("(-stored +read)\n%s", diff)
	}
}

func FuzzNotice(f *testing.F) {
	n := rules.Notification{Alerts: []rules.Alert{{Labels: labels.FromStrings("a", "b")}}}
	f.Add(appendNotice(nil, &n, &n.Alerts[0]))
	f.Add([]byte(`{"Labels":["YQ=="]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := decodeNotice(data)
		if err == nil && len(n.Alerts) != 1 {
			t.Errorf("%d alerts", len(n.Alerts))
		}
	})
}
