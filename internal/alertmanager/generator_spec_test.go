package alertmanager

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

// specifiedAlert is an alert in the format of the specification of alert
// generators, which has no other fields.
type specifiedAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
}

// A firing alert and one that ended look alike: whether it is over follows from
// when it ends, to the millisecond.
func TestPayloadIsAsSpecified(t *testing.T) {
	fired := time.Date(2026, 11, 22, 13, 47, 22, 0, time.UTC)
	common := rules.Alert{
		Labels:      labels.FromStrings("alertname", "Down", "path", `C:\ "x"`),
		Annotations: labels.FromStrings("summary", "two\nlines"),
		StartsAt:    fired, GeneratorURL: rules.Link{Base: "http://tocsin.example/vmalert/alert?group_id=1&alert_id=", AlertID: 2},
	}
	firing, resolved := common, common
	firing.EndsAt = fired.Add(4*time.Minute + 179*time.Millisecond)
	resolved.Resolved, resolved.EndsAt = true, fired.Add(time.Minute)

	body, _ := encoded(firing, resolved)
	d := json.NewDecoder(strings.NewReader(body))
	d.DisallowUnknownFields()
	var got []specifiedAlert
	if err := d.Decode(&got); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	want := specifiedAlert{
		Labels:      map[string]string{"alertname": "Down", "path": `C:\ "x"`},
		Annotations: map[string]string{"summary": "two\nlines"},
		StartsAt:    fired, EndsAt: firing.EndsAt, GeneratorURL: common.GeneratorURL.String(),
	}
	ended := want
	ended.EndsAt = resolved.EndsAt
	if diff := cmp.Diff([]specifiedAlert{want, ended}, got); diff != "" {
		t.Errorf("payload (-want +got):\n%s", diff)
	}
}
