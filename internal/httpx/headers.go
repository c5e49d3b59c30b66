package httpx

import (
	"fmt"
	"net/http"
	"strings"
)

// ParseHeaders reads lines of the form "Name: value". Of lines with the same
// name the last one counts. Errors give the position of a line, never its text.
func ParseHeaders(lines []string) (http.Header, error) {
	h := make(http.Header, len(lines))
	for i, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case !ok:
			return nil, fmt.Errorf(`header %d is not "Name: value"`, i+1)
		case !isToken(name):
			return nil, fmt.Errorf("header %d has an invalid name", i+1)
		case !isFieldValue(value):
			return nil, fmt.Errorf("header %d (%s) has a control character in its value", i+1, name)
		}
		h.Set(name, value)
	}
	return h, nil
}

func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

func isFieldValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
