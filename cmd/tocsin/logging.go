package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // -loggerTimezone must work in an image that has no zones
)

// The levels beyond slog's own, above its errors.
const (
	levelFatal = slog.LevelError + 4
	levelPanic = slog.LevelError + 8
)

// logLevels are the levels of -loggerLevel, the least one first.
var logLevels = []struct {
	name  string
	level slog.Level
}{
	{"INFO", slog.LevelInfo},
	{"WARN", slog.LevelWarn},
	{"ERROR", slog.LevelError},
	{"FATAL", levelFatal},
	{"PANIC", levelPanic},
}

// logOptions are the logging flags as written.
type logOptions struct {
	level, format, output, timezone, jsonFields string

	noTimestamps                    bool
	maxArgLen                       int // bytes; 0 or less is no limit
	errorsPerSecond, warnsPerSecond int // 0 or less is no limit
}

// check returns everything that is wrong with the options.
func (o *logOptions) check() error {
	var names []string
	for _, l := range logLevels {
		names = append(names, l.name)
	}
	_, zoneErr := time.LoadLocation(o.timezone)
	if zoneErr != nil {
		zoneErr = fmt.Errorf("-loggerTimezone: no time zone %q", o.timezone)
	}
	_, fieldsErr := readJSONFields(o.jsonFields)
	if fieldsErr != nil {
		fieldsErr = fmt.Errorf("-loggerJSONFields: %w", fieldsErr)
	}
	return errors.Join(
		oneOf("loggerLevel", o.level, names...),
		oneOf("loggerFormat", o.format, "default", "json"),
		oneOf("loggerOutput", o.output, "stderr", "stdout"),
		zoneErr,
		fieldsErr,
	)
}

// writer returns where the log goes.
func (o *logOptions) writer(stdout, stderr io.Writer) io.Writer {
	if o.output == "stdout" {
		return stdout
	}
	return stderr
}

// onMessage is called for every message of at least level info, also for those
// that are not printed for -loggerLevel or a limit. The level is in lower case.
type onMessage func(level, location string, printed bool)

// newLogger returns the logger o asks for, which writes to out. The options must
// have been checked.
func newLogger(o logOptions, out io.Writer, count onMessage) *slog.Logger {
	zone, err := time.LoadLocation(o.timezone)
	if err != nil {
		zone = time.UTC
	}
	style := lineStyle{zone: zone, noTimestamps: o.noTimestamps, maxArgLen: o.maxArgLen}
	var handler slog.Handler = newTextHandler(out, style)
	if o.format == "json" {
		fields, _ := readJSONFields(o.jsonFields) // checked
		handler = newJSONHandler(out, style, fields)
	}
	least := slog.LevelInfo
	for _, l := range logLevels {
		if l.name == o.level {
			least = l.level
		}
	}
	return slog.New(&gate{
		next:  handler,
		least: least,
		limit: newLogLimit(o.errorsPerSecond, o.warnsPerSecond),
		count: count,
	})
}

// lineStyle is what both formats have in common.
type lineStyle struct {
	zone         *time.Location
	noTimestamps bool
	maxArgLen    int // bytes; 0 or less is no limit
}

func (s lineStyle) timestamp(at time.Time) string {
	return at.In(s.zone).Format("2006-01-02T15:04:05.000Z0700")
}

// shortest is the least length that shows what was left out, in bytes.
const shortest = len("a..z")

// shorten takes the middle from a text that is too long.
func (s lineStyle) shorten(text string) string {
	longest := max(s.maxArgLen, shortest)
	if s.maxArgLen <= 0 || len(text) <= longest {
		return text
	}
	half := longest/2 - 1
	return strings.ToValidUTF8(text[:half], "") + ".." + strings.ToValidUTF8(text[len(text)-half:], "")
}

// levelName is the name of a level as vmalert's log has it.
func levelName(level slog.Level) string {
	switch {
	case level < slog.LevelInfo:
		return "debug"
	case level < slog.LevelWarn:
		return "info"
	case level < slog.LevelError:
		return "warn"
	case level < levelFatal:
		return "error"
	case level < levelPanic:
		return "fatal"
	default:
		return "panic"
	}
}

// location is the place in the code that logged, such as
// "tocsin/rules/group.go:12".
func location(r slog.Record) string {
	source := r.Source()
	if source == nil {
		return "?"
	}
	return sourceLocation(source)
}

// sourceLocation names a place by its package, not by where the source was built.
func sourceLocation(source *slog.Source) string {
	pkg := source.Function
	dir := strings.LastIndexByte(pkg, '/') + 1
	if dot := strings.IndexByte(pkg[dir:], '.'); dot >= 0 {
		pkg = pkg[:dir+dot]
	}
	return pkg + "/" + path.Base(filepath.ToSlash(source.File)) + ":" + strconv.Itoa(source.Line)
}

// gate passes on the messages that are to be printed and counts all.
type gate struct {
	next  slog.Handler
	least slog.Level
	limit *logLimit
	count onMessage
}

var _ slog.Handler = (*gate)(nil)

// Enabled lets through what is not printed, too, so that it is counted.
func (g *gate) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

func (g *gate) Handle(ctx context.Context, r slog.Record) error {
	where := location(r)
	printed, note := r.Level >= g.least, ""
	if printed {
		printed, note = g.limit.admit(r.Level, where, r.Time)
	}
	g.count(levelName(r.Level), where, printed)
	if !printed {
		return nil
	}
	if note != "" {
		r = r.Clone()
		r.AddAttrs(slog.String("limit", note))
	}
	return g.next.Handle(ctx, r)
}

func (g *gate) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *g
	with.next = g.next.WithAttrs(attrs)
	return &with
}

func (g *gate) WithGroup(name string) slog.Handler {
	with := *g
	with.next = g.next.WithGroup(name)
	return &with
}
