package main

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// textHandler writes a message as one line: the time, the level, the place in
// the code and the message, separated by tabs, and then the attributes as
// key=value.
type textHandler struct {
	style lineStyle
	group string // prefix of the keys
	attrs string // those of With, written out

	out *lineWriter
}

// lineWriter keeps the lines of concurrent writers apart.
type lineWriter struct {
	mu sync.Mutex // guards w
	w  io.Writer
}

var _ slog.Handler = (*textHandler)(nil)

func newTextHandler(w io.Writer, style lineStyle) *textHandler {
	return &textHandler{style: style, out: &lineWriter{w: w}}
}

func (h *textHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h *textHandler) Handle(_ context.Context, r slog.Record) error {
	var line strings.Builder
	if !h.style.noTimestamps {
		line.WriteString(h.style.timestamp(r.Time))
		line.WriteByte('\t')
	}
	line.WriteString(levelName(r.Level))
	line.WriteByte('\t')
	line.WriteString(location(r))
	line.WriteByte('\t')
	line.WriteString(oneLine(r.Message))
	line.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		h.writeAttr(&line, h.group, a)
		return true
	})
	line.WriteByte('\n')

	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	_, err := io.WriteString(h.out.w, line.String())
	return err
}

func (h *textHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var text strings.Builder
	for _, a := range attrs {
		h.writeAttr(&text, h.group, a)
	}
	with := *h
	with.attrs += text.String()
	return &with
}

func (h *textHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	with := *h
	with.group += name + "."
	return &with
}

// writeAttr writes " key=value", the value in quotes where it needs them.
func (h *textHandler) writeAttr(line *strings.Builder, group string, a slog.Attr) {
	value := a.Value.Resolve()
	if a.Key == "" && value.Kind() != slog.KindGroup {
		return
	}
	if value.Kind() == slog.KindGroup {
		if a.Key != "" {
			group += a.Key + "."
		}
		for _, member := range value.Group() {
			h.writeAttr(line, group, member)
		}
		return
	}
	line.WriteByte(' ')
	line.WriteString(group)
	line.WriteString(a.Key)
	line.WriteByte('=')
	line.WriteString(quoteIfNeeded(h.style.shorten(value.String())))
}

func quoteIfNeeded(text string) string {
	special := func(r rune) bool {
		return r == ' ' || r == '=' || r == '"' || r == utf8.RuneError || !unicode.IsPrint(r)
	}
	if text == "" || strings.ContainsFunc(text, special) {
		return strconv.Quote(text)
	}
	return text
}

// oneLine keeps a message on its line.
func oneLine(message string) string {
	if !strings.ContainsAny(message, "\r\n") {
		return message
	}
	return strings.NewReplacer("\n", `\n`, "\r", `\r`).Replace(message)
}
