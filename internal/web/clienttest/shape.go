package clienttest

import (
	"fmt"
	"slices"
	"time"
)

// shape says what a client reads of a JSON value. It returns what would fail the
// client, with the place in the answer.
type shape func(at string, v any) []string

func mismatch(at, want string, v any) []string {
	return []string{fmt.Sprintf("%s is %.80q, not %s", at, fmt.Sprint(v), want)}
}

func text(at string, v any) []string {
	if _, ok := v.(string); !ok {
		return mismatch(at, "a text", v)
	}
	return nil
}

func number(at string, v any) []string {
	if _, ok := v.(float64); !ok {
		return mismatch(at, "a number", v)
	}
	return nil
}

func boolean(at string, v any) []string {
	if _, ok := v.(bool); !ok {
		return mismatch(at, "true or false", v)
	}
	return nil
}

// instant is a time in RFC 3339.
func instant(at string, v any) []string {
	s, _ := v.(string)
	if _, err := time.Parse(time.RFC3339Nano, s); err != nil {
		return mismatch(at, "a time", v)
	}
	return nil
}

// oneOf is one of some texts.
func oneOf(texts ...string) shape {
	return func(at string, v any) []string {
		if s, ok := v.(string); !ok || !slices.Contains(texts, s) {
			return mismatch(at, fmt.Sprintf("one of %q", texts), v)
		}
		return nil
	}
}

// nullable is null or what of says.
func nullable(of shape) shape {
	return func(at string, v any) []string {
		if v == nil {
			return nil
		}
		return of(at, v)
	}
}

// list is an array, never null.
func list(of shape) shape {
	return func(at string, v any) []string {
		items, ok := v.([]any)
		if !ok {
			return mismatch(at, "a list", v)
		}
		var wrong []string
		for i, item := range items {
			wrong = append(wrong, of(fmt.Sprintf("%s[%d]", at, i), item)...)
		}
		return wrong
	}
}

// dict is an object with any keys.
func dict(of shape) shape {
	return func(at string, v any) []string {
		m, ok := v.(map[string]any)
		if !ok {
			return mismatch(at, "an object", v)
		}
		var wrong []string
		for key, item := range m {
			wrong = append(wrong, of(at+"."+key, item)...)
		}
		return wrong
	}
}

// field is a field that a client reads of an object.
type field struct {
	name     string
	of       shape
	optional bool // the client can do without
}

func need(name string, of shape) field { return field{name: name, of: of} }

func maybe(name string, of shape) field { return field{name: name, of: of, optional: true} }

// object is an object with these fields and any others.
func object(fields ...field) shape {
	return func(at string, v any) []string {
		m, ok := v.(map[string]any)
		if !ok {
			return mismatch(at, "an object", v)
		}
		var wrong []string
		for _, f := range fields {
			item, found := m[f.name]
			switch {
			case found:
				wrong = append(wrong, f.of(at+"."+f.name, item)...)
			case !f.optional:
				wrong = append(wrong, at+" has no "+f.name)
			}
		}
		return wrong
	}
}
