package metricsql

import "strings"

// MayRead is a cheap test before ReadsOf: it parses nothing, and false means
// that expr certainly does not read the metric name. True means only that it is
// worth asking ReadsOf.
func MayRead(expr, name string) bool {
	return strings.Contains(expr, name) || readsUnnamed(expr) ||
		name == infoMetric && strings.Contains(expr, infoFunction)
}

// readsUnnamed reports whether expr may read a metric whose name it does not
// spell out: by a selector without a name, by a condition on __name__, or behind
// an escape. A comment hides what stands before a brace, so it counts too.
func readsUnnamed(expr string) bool {
	if strings.ContainsAny(expr, `\#`) || strings.Contains(expr, nameLabel) {
		return true
	}
	for i := 0; ; i++ {
		brace := strings.IndexByte(expr[i:], '{')
		if brace < 0 {
			return false
		}
		i += brace
		if !endsInName(expr[:i]) {
			return true
		}
	}
}

// endsInName reports whether a metric name is the last word of text. An
// operator is none: what follows it is an operand of its own.
func endsInName(text string) bool {
	end := len(text)
	for end > 0 && isSpace(text[end-1]) {
		end--
	}
	start := end
	for start > 0 && isNameByte(text[start-1]) {
		start--
	}
	if start == end {
		return false
	}
	switch strings.ToLower(text[start:end]) {
	case "and", "or", "unless", "if", "ifnot", "default", "atan2", "bool",
		"by", "without", "on", "ignoring", "group_left", "group_right",
		"offset", "limit", "prefix", "keep_metric_names", "smoothed", "anchored",
		"fill", "fill_left", "fill_right", "with":
		return false
	}
	return true
}

// isNameByte reports whether c may be part of a metric name. Bytes beyond ASCII
// may: MetricsQL allows letters of any script.
func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '_' || c == ':' || c == '.' || c >= 0x80
}
