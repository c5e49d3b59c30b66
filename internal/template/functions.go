package template

import (
	"fmt"
	"net/url"
	"strings"
	gotemplate "text/template"
	"time"
)

// textFunctions make one text of another and cannot go wrong.
var textFunctions = map[string]func(string) string{
	"title":          title,
	"toUpper":        strings.ToUpper,
	"toLower":        strings.ToLower,
	"stripPort":      stripPort,
	"stripDomain":    stripDomain,
	"crlfEscape":     crlfEscape,
	"quotesEscape":   quotesEscape,
	"jsonEscape":     jsonEscape,
	"htmlEscape":     htmlEscape,
	"safeHtml":       func(s string) string { return s },
	"pathEscape":     url.PathEscape,
	"queryEscape":    url.QueryEscape,
	"urlQueryEscape": url.QueryEscape,
	"graphLink":      graphLink,
	"tableLink":      tableLink,
}

// numberFunctions append a number, which templates may give as text, in a form
// for people.
var numberFunctions = map[string]func(dst []byte, v float64) ([]byte, error){
	"humanize":           appendHumanized,
	"humanize1024":       appendHumanized1024,
	"humanizeDuration":   appendHumanizedDuration,
	"humanizePercentage": appendHumanizedPercentage,
	"humanizeTimestamp":  appendHumanizedTimestamp,
}

// functions returns what templates may call besides the functions every
// text/template has. A runner puts its own query and tmpl in the place of those
// given here.
func functions(c *core) gotemplate.FuncMap {
	m := gotemplate.FuncMap{
		"match":             c.match,
		"reReplaceAll":      c.replaceAll,
		"parseDuration":     parseSeconds,
		"parseDurationTime": parseDuration,
		"toTime":            toTime,
		"toDuration":        toDuration,
		"formatTime":        formatTime,
		"now":               now,
		"externalURL":       func() string { return c.externalURL },
		"pathPrefix":        func() string { return c.pathPrefix },
		"first":             first,
		"label":             label,
		"value":             value,
		"strvalue":          strvalue,
		"sortByLabel":       sortByLabel,
		"args":              args,
		"query":             func(string) ([]metric, error) { return nil, errNoRunner },
		"tmpl":              func(string, any) (string, error) { return "", errNoRunner },
	}
	for name, f := range textFunctions {
		m[name] = f
	}
	for name, f := range numberFunctions {
		m[name] = func(v any) (string, error) {
			n, err := toNumber(v)
			if err != nil {
				return "", err
			}
			b, err := f(nil, n)
			return string(b), err
		}
	}
	return m
}

// knownFunctions names all functions for the parser.
var knownFunctions = func() map[string]any {
	names := map[string]any(functions(new(core)))
	for _, builtin := range []string{
		"and", "call", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt",
		"ne", "not", "or", "print", "printf", "println", "slice", "urlquery",
	} {
		names[builtin] = true
	}
	return names
}()

func (c *core) match(pattern, s string) (bool, error) {
	re, err := c.regexps.get(pattern)
	if err != nil {
		return false, err
	}
	return re.MatchString(s), nil
}

func (c *core) replaceAll(pattern, replacement, s string) (string, error) {
	re, err := c.regexps.get(pattern)
	if err != nil {
		return "", err
	}
	return re.ReplaceAllString(s, replacement), nil
}

// args makes a map of its arguments, so that a template can be given several.
func args(values ...any) map[string]any {
	m := make(map[string]any, len(values))
	for i, v := range values {
		m[fmt.Sprintf("arg%d", i)] = v
	}
	return m
}

// now returns the whole seconds since the Unix epoch.
func now() float64 { return float64(time.Now().Unix()) }
