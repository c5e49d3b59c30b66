package main

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// jsonFields are the names of the fields every JSON message has.
type jsonFields struct{ time, level, caller, message string }

// readJSONFields reads -loggerJSONFields: pairs such as "ts:time", with commas.
func readJSONFields(text string) (jsonFields, error) {
	fields := jsonFields{time: "ts", level: "level", caller: "caller", message: "msg"}
	if text == "" {
		return fields, nil
	}
	for pair := range strings.SplitSeq(text, ",") {
		field, name, ok := strings.Cut(strings.TrimSpace(pair), ":")
		if !ok || name == "" {
			return fields, fmt.Errorf("%q is not of the form field:name", pair)
		}
		switch field {
		case "ts":
			fields.time = name
		case "level":
			fields.level = name
		case "caller":
			fields.caller = name
		case "msg":
			fields.message = name
		default:
			return fields, fmt.Errorf("there is no field %q; the fields are ts, level, caller and msg", field)
		}
	}
	return fields, nil
}

// newJSONHandler returns a handler that writes a message as one JSON object.
func newJSONHandler(w io.Writer, style lineStyle, fields jsonFields) slog.Handler {
	return slog.NewJSONHandler(w, &slog.HandlerOptions{
		AddSource: true,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 {
				if field, ok := fields.replace(style, a); ok {
					return field
				}
			}
			if a.Value.Kind() == slog.KindDuration {
				// A bare number would leave the unit to be guessed.
				return slog.String(a.Key, a.Value.Duration().String())
			}
			return style.shortenAttr(a)
		},
	})
}

// replace returns the field for one of those that slog adds to every message. It
// goes by the type, too, as attributes may have the same names.
func (f jsonFields) replace(style lineStyle, a slog.Attr) (field slog.Attr, ok bool) {
	switch value := a.Value.Any().(type) {
	case *slog.Source:
		return slog.String(f.caller, sourceLocation(value)), a.Key == slog.SourceKey
	case slog.Level:
		return slog.String(f.level, levelName(value)), a.Key == slog.LevelKey
	case string:
		return slog.String(f.message, value), a.Key == slog.MessageKey
	}
	if a.Key != slog.TimeKey || a.Value.Kind() != slog.KindTime {
		return slog.Attr{}, false
	}
	if style.noTimestamps {
		return slog.Attr{}, true
	}
	return slog.String(f.time, style.timestamp(a.Value.Time())), true
}

// shortenAttr cuts what is written as text; other values are short.
func (s lineStyle) shortenAttr(a slog.Attr) slog.Attr {
	switch value := a.Value.Any().(type) {
	case string:
		a.Value = slog.StringValue(s.shorten(value))
	case error:
		a.Value = slog.StringValue(s.shorten(value.Error()))
	}
	return a
}
