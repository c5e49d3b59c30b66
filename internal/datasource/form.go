package datasource

// appendForm appends args, escaped as in application/x-www-form-urlencoded.
func appendForm(dst []byte, args []argument) []byte {
	for i, a := range args {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = appendEscaped(dst, a.name)
		dst = append(dst, '=')
		dst = appendEscaped(dst, a.value)
	}
	return dst
}

func appendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9',
			c == '-', c == '_', c == '.', c == '~':
			dst = append(dst, c)
		case c == ' ':
			dst = append(dst, '+')
		default:
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

// formSize returns about how many bytes appendForm appends.
func formSize(args []argument) int {
	n := 0
	for _, a := range args {
		n += len(a.name) + len(a.value) + len(a.value)/2 + 8
	}
	return n
}
