package config

import "bytes"

// span is the text of a group in a file.
type span struct {
	text   []byte
	before int // lines of the file that stand before it
}

// cut returns the texts of the groups of a file that holds nothing but "groups:"
// and a list in block style below it, and what stands above them; false for any
// other file.
//
// It goes by the indentation of lines alone, which a text in quotes or brackets
// may disregard. A cut within one leaves a piece that ends in the middle of it,
// and so is not valid YAML by itself.
func cut(data []byte) (above []byte, spans []span, ok bool) {
	at, before, ok := endOfHeader(data)
	if !ok || hasOtherBreaks(data) {
		return nil, nil, false
	}
	indent, start := -1, 0 // of the items, and of the last item
	for ; at < len(data); before++ {
		end := lineEnd(data, at)
		spaces, rest := indentation(data[at:end])
		switch {
		case len(rest) == 0 || rest[0] == '#':
		case indent >= 0 && spaces > indent:
		case isItem(rest) && indent < 0:
			above, indent, start = data[:at], spaces, at
			spans = append(spans, span{before: before})
		case isItem(rest) && spaces == indent:
			spans[len(spans)-1].text = data[start:at]
			start = at
			spans = append(spans, span{before: before})
		default:
			return nil, nil, false
		}
		at = end
	}
	if len(spans) == 0 {
		return nil, nil, false
	}
	spans[len(spans)-1].text = data[start:]
	return above, spans, true
}

// hasOtherBreaks reports whether YAML may see an end of line in data that is not
// a line feed.
func hasOtherBreaks(data []byte) bool {
	return bytes.IndexByte(data, '\r') >= 0 || bytes.Contains(data, []byte("\u0085")) ||
		bytes.Contains(data, []byte("\u2028")) || bytes.Contains(data, []byte("\u2029"))
}

// endOfHeader returns where the line after "groups:" starts, and how many lines
// stand before it: comments and the start of a document may be among them.
func endOfHeader(data []byte) (at, lines int, ok bool) {
	started := false
	for at < len(data) {
		end := lineEnd(data, at)
		spaces, rest := indentation(data[at:end])
		rest = bytes.TrimRight(rest, " ")
		at = end
		lines++
		switch {
		case len(rest) == 0 || rest[0] == '#':
		case spaces > 0:
			return 0, 0, false
		case string(rest) == "groups:":
			return at, lines, true
		case string(rest) == "---" && !started:
			started = true
		default:
			return 0, 0, false
		}
	}
	return 0, 0, false
}

// lineEnd returns where the line after the one at starts.
func lineEnd(data []byte, at int) int {
	if i := bytes.IndexByte(data[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(data)
}

// indentation returns by how many spaces a line is indented, and what follows
// them on it.
func indentation(line []byte) (spaces int, rest []byte) {
	line = bytes.TrimSuffix(line, []byte("\n"))
	rest = bytes.TrimLeft(line, " ")
	return len(line) - len(rest), rest
}

// isItem reports whether an item of a list begins with text.
func isItem(text []byte) bool {
	return text[0] == '-' && (len(text) == 1 || text[1] == ' ')
}
