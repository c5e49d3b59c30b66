package metricsql

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/prometheus/promql/parser"
)

// complaint is one parser's reason to refuse an expression.
type complaint struct {
	text string
	at   int // byte offset; -1 when the parser does not say
}

// clearer returns the complaint of the parser that came further. A function
// unknown to PromQL is no reason when MetricsQL stumbles over something else:
// then it is MetricsQL, and its own parser knows what is wrong with it.
func clearer(expr string, promErr, metricsErr error) error {
	prom, metrics := promComplaint(promErr), metricsComplaint(expr, metricsErr)
	choice := prom
	if metrics.at > prom.at {
		choice = metrics
	} else if name, ok := unknownFunction(prom.text); ok && metrics.at < 0 && !strings.Contains(metrics.text, name) {
		choice = metrics
	}
	if choice.at < 0 {
		return errors.New(choice.text)
	}
	line, column := position(expr, choice.at)
	return fmt.Errorf("%d:%d: %s", line, column, choice.text)
}

func promComplaint(err error) complaint {
	var all parser.ParseErrors
	if !errors.As(err, &all) || len(all) == 0 {
		return complaint{text: err.Error(), at: -1}
	}
	return complaint{text: all[0].Err.Error(), at: int(all[0].PositionRange.Start)}
}

// unknownFunction returns the function, in quotes, that PromQL does not know.
func unknownFunction(text string) (string, bool) {
	return strings.CutPrefix(text, "unknown function with name ")
}

// metricsComplaint finds the place in what the MetricsQL parser left unread.
func metricsComplaint(expr string, err error) complaint {
	text := strings.TrimPrefix(err.Error(), "cannot expand WITH expressions: ")
	for _, mark := range []string{"; unparsed data: ", "unparsed data left: "} {
		before, rest, found := strings.Cut(text, mark)
		if !found {
			continue
		}
		tail, err := strconv.Unquote(rest)
		if err != nil || !strings.HasSuffix(expr, tail) {
			continue
		}
		if before == "" {
			before = "unexpected text after the expression"
		}
		if tail == "" {
			before = strings.Replace(before, `unexpected token ""`, "unexpected end of input", 1)
		}
		return complaint{text: before, at: len(expr) - len(tail)}
	}
	return complaint{text: text, at: -1}
}

// position turns a byte offset into a line and a column of characters, both
// from 1.
func position(expr string, at int) (line, column int) {
	before := expr[:min(at, len(expr))]
	line = 1 + strings.Count(before, "\n")
	return line, 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
}
