package web

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tocsin/rules"
)

func standard(t interface{ Fatal(...any) }, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSecondsAreEncodedAsByEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.OneOf(rapid.Int64Range(0, 1e4), rapid.Int64Range(-1e12, 1e15)).Draw(t, "ns"))
		if got, want := string(appendSeconds(nil, d)), standard(t, d.Seconds()); got != want {
			t.Fatalf("%d ns: got %s, want %s", d, got, want)
		}
	})
}

func TestTimesAreEncodedAsByEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := rules.Instant(rapid.Int64Range(0, math.MaxInt64).Draw(t, "ns"))
		if got, want := string(appendTime(nil, i)), standard(t, i.Time()); got != want {
			t.Fatalf("%d: got %s, want %s", i, got, want)
		}
	})
	if got, want := string(appendTime(nil, 0)), `"0001-01-01T00:00:00Z"`; got != want {
		t.Errorf("unset: got %s, want %s", got, want)
	}
}

func TestValuesKeep64BitsAndAreNeverBareNaN(t *testing.T) {
	for v, want := range map[float64]string{
		1: `"1"`, 0.1: `"0.1"`, 16777217: `"16777217"`, 1e21: `"1000000000000000000000"`,
		math.Inf(1): `"+Inf"`, math.Inf(-1): `"-Inf"`,
	} {
		if got := string(appendValue(nil, v)); got != want {
			t.Errorf("%g: got %s, want %s", v, got, want)
		}
	}
	if got, want := string(appendValue(nil, math.NaN())), `"NaN"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
