package remotewrite

import (
	"math"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"

	"tocsin/rules"
)

func TestRemoteWrite2SaysEveryTextOnce(t *testing.T) {
	batch := []rules.Series{
		{Labels: labels.FromStrings("alertname", "a", "x", "alertname"), Name: "ALERTS", Alert: rules.Firing, T: 1, V: 1},
		{Labels: labels.FromStrings("alertname", "a", "x", "alertname"), Name: "ALERTS_FOR_STATE", T: 1, V: math.Float64frombits(value.StaleNaN)},
	}
	var e encoder
	if rows := e.fillSymbols([]part{{batch: batch}}, 10); rows != 2 {
		t.Fatalf("%d rows", rows)
	}
	got, err := decodeSymbols(e.raw)
	if err != nil {
		t.Fatal(err)
	}
	want := []rules.Series{
		{Labels: batch[0].Full(), T: 1, V: 1},
		{Labels: batch[1].Full(), T: 1, V: math.Float64frombits(value.StaleNaN)},
	}
	if d := cmp.Diff(want, got, cmp.Comparer(sameRow)); d != "" {
		t.Error(d)
	}
	// "", __name__, ALERTS, alertname, a, alertstate, firing, x, ALERTS_FOR_STATE
	if n := countSymbols(t, e.raw); n != 9 {
		t.Errorf("%d symbols, want 9", n)
	}
	if len(e.symbols.numbers) != 0 {
		t.Error("the encoder holds on to the texts of a request")
	}
}

func TestRemoteWrite2CostsNothingWhereItIsNotWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, speaking(415, "snappy"), one)
		c.appendAndFlush(t, series(5, 1))
		c.mustClose(t)
		if s := &c.encoder.symbols; s.numbers != nil || s.series != nil {
			t.Error("memory was taken for remote write 2.0")
		}
	})
}
