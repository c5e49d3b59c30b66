package jsontext

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

func standard(t interface{ Fatal(...any) }, s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestStringsAreEncodedAsByEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) + rapid.String().Draw(t, "text")
		if got, want := string(AppendString(nil, s)), standard(t, s); got != want {
			t.Fatalf("%q: got %s, want %s", s, got, want)
		}
	})
}

func TestEveryCharacterOfTheFirstPlaneIsEncodedAsByEncodingJSON(t *testing.T) {
	for r := rune(0); r <= 0xffff; r++ {
		s := "a long beginning" + string(r) + "and a long end" + string(r)
		if got, want := string(AppendString(nil, s)), standard(t, s); got != want {
			t.Fatalf("%q: got %s, want %s", s, got, want)
		}
	}
}
