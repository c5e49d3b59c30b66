package web

import "strings"

// secretHeader reports whether the value of a header is likely a credential.
func secretHeader(name string) bool {
	name = strings.ToLower(name)
	for _, part := range []string{"auth", "cookie", "token", "secret", "password", "passwd", "key", "credential"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}
