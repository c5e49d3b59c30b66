package config

import (
	"encoding/json"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestJSONIsReadAsItIsMeant(t *testing.T) {
	for text, want := range map[string]string{
		`["http:\/\/am:9093\/x"]`:      "http://am:9093/x",
		`["\ud83d\ude00\\\/\"\u00e9"]`: "\U0001F600\\/\"é",
		`["\ud83dx"]`:                  "\uFFFDx",
		`["\ud83d\u0041"]`:             "\uFFFDA",
		`["\ude00\ud83d"]`:             "\uFFFD\uFFFD",
		`["\ud83d\ud83d\ude00"]`:       "\uFFFD\U0001F600",
		`["\\ud83d\\\/"]`:              `\ud83d\/`,
	} {
		var got []string
		if err := yaml.Unmarshal(yamlOf([]byte(text)), &got); err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestWhatIsNotJSONStaysAsItIs(t *testing.T) {
	for _, text := range []string{``, `\`, `a: "\/"`, `["\/"`, `["\u12"]`, `'\ud83d\ude00'`} {
		if got := string(yamlOf([]byte(text))); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// Whatever a program writes, its text is what another one reads.
func FuzzJSONAsYAML(f *testing.F) {
	f.Add(`"\ud83d\ude00\/"`)
	f.Add(`"\ud83d\\\u0041"`)
	f.Fuzz(func(t *testing.T, text string) {
		var want string
		if json.Unmarshal([]byte(text), &want) != nil {
			return
		}
		var got string
		if err := yaml.Unmarshal(yamlOf([]byte(`"x`+text[1:])), &got); text[0] == '"' && err == nil && got != "x"+want {
			t.Errorf("%s is %q, want %q", text, got, "x"+want)
		}
	})
}
