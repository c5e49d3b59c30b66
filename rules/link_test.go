package rules

import (
	"encoding/json"
	"testing"
)

func TestLinkIsItsBaseAndTheIDOfTheAlert(t *testing.T) {
	for want, l := range map[string]Link{
		"":                         {},
		"http://x/?a=<b>&é":        {Base: "http://x/?a=<b>&é"},
		"http://x/?alert_id=1":     {Base: "http://x/?alert_id=", AlertID: 1},
		"\"\\18446744073709551615": {Base: `"\`, AlertID: 1<<64 - 1},
		"http://x/\ufffd7":         {Base: "http://x/\xc3", AlertID: 7},
	} {
		var read string
		if err := json.Unmarshal(l.AppendJSON(nil), &read); err != nil || read != want {
			t.Errorf("%+v is %q in JSON, %v, want %q", l, read, err, want)
		}
		if text := l.String(); text != want && l.AlertID != 7 {
			t.Errorf("%+v is %q, want %q", l, text, want)
		}
	}
}
