package config

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// yamlOf returns data, in which lines are where they were, as YAML: JSON is that
// but for two ways to write a character, "\/" and halves of UTF-16, which programs
// that write lists of targets use. What is not JSON stays as it is.
func yamlOf(data []byte) []byte {
	if bytes.IndexByte(data, '\\') < 0 || !json.Valid(data) {
		return data
	}
	out := make([]byte, 0, len(data))
	for {
		n := bytes.IndexByte(data, '\\')
		if n < 0 {
			return append(out, data...)
		}
		out, data = append(out, data[:n]...), data[n:]
		if data[1] == '/' {
			out, data = append(out, '/'), data[2:]
			continue
		}
		r, length := escapedRune(data)
		if !utf16.IsSurrogate(r) {
			out, data = append(out, data[:length]...), data[length:]
			continue
		}
		low, more := escapedRune(data[length:])
		if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
			length += more
		}
		out, data = utf8.AppendRune(out, r), data[length:]
	}
}

// escapedRune returns the code that an escape sequence at the beginning of data
// gives in hexadecimal digits, and the length of the sequence. Others have none.
func escapedRune(data []byte) (code rune, length int) {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0, 2
	}
	n, _ := strconv.ParseUint(string(data[2:6]), 16, 16) // it is valid JSON
	return rune(n), 6
}
