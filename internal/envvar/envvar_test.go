package envvar

import "testing"

func TestExpandVariables(t *testing.T) {
	variables := map[string]string{
		"HOST": "vm", "PORT": "8428", "ADDR": "%{HOST}:%{PORT}", "EMPTY": "", "LOOP": "x%{POOL}", "POOL": "%{LOOP}",
	}
	lookup := Lookup(func(name string) (string, bool) { v, ok := variables[name]; return v, ok })
	for text, want := range map[string]string{
		"plain":                "plain",
		"http://%{HOST}/":      "http://vm/",
		"%{HOST}:%{PORT}":      "vm:8428",
		"http://%{ADDR}/":      "http://vm:8428/",
		"%{EMPTY}":             "",
		"%{not a name} %{HOST": "%{not a name} %{HOST",
		"%{ %{HOST}":           "%{ vm",
		"100%":                 "100%",
	} {
		if got, err := lookup.Expand(text); err != nil || got != want {
			t.Errorf("expand(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"%{NOBODY}": "the environment variable NOBODY is not set",
		"%{LOOP}":   "the environment variable LOOP refers to itself",
	} {
		if _, err := lookup.Expand(text); err == nil || err.Error() != want {
			t.Errorf("expand(%q): error %v, want %q", text, err, want)
		}
	}
}
