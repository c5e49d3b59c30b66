package config

import (
	"bytes"
	"strings"
)

// maxEnvDepth bounds how many variables may refer to one another in a row.
const maxEnvDepth = 8

// expandEnv replaces every %{NAME} by the value of NAME, in which references are
// replaced as well. A name that is not set is left as written.
func expandEnv(data []byte, lookup func(string) (string, bool)) []byte {
	if lookup == nil || !bytes.Contains(data, []byte("%{")) {
		return data
	}
	return []byte(expandText(string(data), lookup, maxEnvDepth))
}

func expandText(text string, lookup func(string) (string, bool), depth int) string {
	if depth == 0 || !strings.Contains(text, "%{") {
		return text
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "%{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		value, set := "", false
		if closed {
			value, set = lookup(name)
		}
		if !set {
			// The rest may hold another reference: only the mark is passed over.
			b.WriteString("%{")
			text = rest
			continue
		}
		b.WriteString(expandText(value, lookup, depth-1))
		text = after
	}
}
