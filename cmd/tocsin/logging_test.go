package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// logged returns the options of a command line with the given logging flags.
func logged(t *testing.T, args ...string) logOptions {
	t.Helper()
	line, err := parse(valid(args...), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	return line.logging
}

func uncounted(string, string, bool) {}

func noneLost() int { return 0 }

// lineNumbers are not worth pinning.
var lineNumber = regexp.MustCompile(`_test\.go:\d+`)

// lines runs write with a logger and returns what it logs, without line numbers.
func lines(t *testing.T, write func(*slog.Logger), args ...string) string {
	t.Helper()
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) { // at midnight of 2000-01-01
		write(newLogger(logged(t, args...), &out, uncounted))
	})
	return lineNumber.ReplaceAllString(out.String(), "_test.go:N")
}

func TestTextLog(t *testing.T) {
	got := lines(t, func(log *slog.Logger) {
		log.Info("group started", "group", "api", "took", 1500*time.Millisecond, "n", 3)
		log.Warn("query\nfailed", "error", errors.New("dial: refused"), "empty", "")
		log.With("part", "web").WithGroup("http").Error("broken", "path", `/a="b"`, slog.Group("peer", "port", 80))
		log.Debug("never shown")
	})
	want := `2000-01-01T00:00:00.000Z	info	tocsin/cmd/tocsin/logging_test.go:N	group started group=api took=1.5s n=3
2000-01-01T00:00:00.000Z	warn	tocsin/cmd/tocsin/logging_test.go:N	query\nfailed error="dial: refused" empty=""
2000-01-01T00:00:00.000Z	error	tocsin/cmd/tocsin/logging_test.go:N	broken part=web http.path="/a=\"b\"" http.peer.port=80
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

func TestJSONLog(t *testing.T) {
	got := lines(t, func(log *slog.Logger) {
		log.Info("group started", "group", "api", "level", "of water", "time", "noon")
		log.Log(context.Background(), levelFatal, "over", "error", errors.New("x\ny"))
	}, "-loggerFormat=json")
	want := `{"ts":"2000-01-01T00:00:00.000Z","level":"info","caller":"tocsin/cmd/tocsin/logging_test.go:N","msg":"group started","group":"api","level":"of water","time":"noon"}
{"ts":"2000-01-01T00:00:00.000Z","level":"fatal","caller":"tocsin/cmd/tocsin/logging_test.go:N","msg":"over","error":"x\ny"}
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

func TestJSONFieldsHaveOtherNames(t *testing.T) {
	got := lines(t, func(log *slog.Logger) { log.Info("hello") },
		"-loggerFormat=json", "-loggerJSONFields=ts:time, level:severity,caller:source,msg:message")
	var fields map[string]string
	if err := json.Unmarshal([]byte(got), &fields); err != nil {
		t.Fatalf("%v in %s", err, got)
	}
	want := map[string]string{
		"time": "2000-01-01T00:00:00.000Z", "severity": "info",
		"source": "tocsin/cmd/tocsin/logging_test.go:N", "message": "hello",
	}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestLogTimestamps(t *testing.T) {
	hello := func(log *slog.Logger) { log.Info("hello") }
	for _, c := range []struct{ flag, want string }{
		{"-loggerTimezone=America/New_York", "1999-12-31T19:00:00.000-0500\tinfo\t"},
		{"-loggerDisableTimestamps", "info\t"},
	} {
		if got := lines(t, hello, c.flag); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.flag, got, c.want)
		}
	}
	if got := lines(t, hello, "-loggerDisableTimestamps", "-loggerFormat=json"); !strings.HasPrefix(got, `{"level":`) {
		t.Errorf("json without timestamps: %s", got)
	}
}

func TestLogLevels(t *testing.T) {
	all := func(log *slog.Logger) {
		for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError, levelFatal, levelPanic} {
			log.Log(context.Background(), level, "x")
		}
	}
	for level, want := range map[string]string{
		"INFO": "info warn error fatal panic", "WARN": "warn error fatal panic",
		"ERROR": "error fatal panic", "FATAL": "fatal panic", "PANIC": "panic",
	} {
		var got []string
		for line := range strings.Lines(lines(t, all, "-loggerLevel="+level, "-loggerDisableTimestamps")) {
			name, _, _ := strings.Cut(line, "\t")
			got = append(got, name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("-loggerLevel=%s logs %q, want %q", level, got, want)
		}
	}
}

func TestLogOutput(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if got := new(logged(t)).writer(&stdout, &stderr); got != io.Writer(&stderr) {
		t.Error("the log does not go to stderr")
	}
	if got := new(logged(t, "-loggerOutput=stdout")).writer(&stdout, &stderr); got != io.Writer(&stdout) {
		t.Error("the log does not go to stdout")
	}
}

func TestLongValuesLoseTheirMiddle(t *testing.T) {
	long := func(log *slog.Logger) {
		log.Info("hello", "text", "0123456789abc", "error", errors.New("0123456789abc"))
	}
	for _, format := range []string{"default", "json"} {
		for limit, want := range map[string]string{"12": "01234..89abc", "6": "01..bc", "1": "0..c", "13": "0123456789abc"} {
			got := lines(t, long, "-loggerMaxArgLen="+limit, "-loggerFormat="+format)
			if strings.Count(got, want) != 2 {
				t.Errorf("format %s, limit %s: %s", format, limit, got)
			}
		}
	}
	for _, none := range []string{"0", "-1"} {
		if got := lines(t, long, "-loggerMaxArgLen="+none); strings.Count(got, "0123456789abc") != 2 {
			t.Errorf("without a limit, by %s: %s", none, got)
		}
	}
}

func TestLogLimitPerPlaceAndSecond(t *testing.T) {
	got := lines(t, func(log *slog.Logger) {
		for second := range 2 {
			for i := range 4 {
				log.Warn("many", "second", second, "i", i)
			}
			log.Warn("elsewhere", "second", second)
			log.Error("not limited")
			time.Sleep(time.Second)
		}
	}, "-loggerWarnsPerSecondLimit=2", "-loggerDisableTimestamps")
	var texts []string
	for line := range strings.Lines(got) {
		fields := strings.SplitN(strings.TrimSpace(line), "\t", 3)
		texts = append(texts, fields[2])
	}
	const note = ` limit="further messages from here are left out for this second"`
	want := []string{
		"many second=0 i=0", "many second=0 i=1" + note, "elsewhere second=0", "not limited",
		"many second=1 i=0", "many second=1 i=1" + note, "elsewhere second=1", "not limited",
	}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

func TestEveryMessageIsCounted(t *testing.T) {
	counts := newLogCounts(`v1"x`, noneLost)
	log := newLogger(logged(t, "-loggerLevel=ERROR", "-loggerErrorsPerSecondLimit=1"), io.Discard, counts.count)
	r := func(level slog.Level) slog.Record { return slog.NewRecord(time.Unix(0, 0), level, "x", 0) }
	for _, level := range []slog.Level{slog.LevelInfo, slog.LevelError, slog.LevelError, slog.LevelError} {
		if err := log.Handler().Handle(t.Context(), r(level)); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	counts.write(&out)
	want := `tocsin_log_messages_lost_total 0
vm_log_messages_total{app_version="v1\"x", is_printed="false", level="error", location="?"} 2
vm_log_messages_total{app_version="v1\"x", is_printed="false", level="info", location="?"} 1
vm_log_messages_total{app_version="v1\"x", is_printed="true", level="error", location="?"} 1
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

func TestLogFormatsKeepAttributesOfGroupsApart(t *testing.T) {
	log := func(l *slog.Logger) {
		l.WithGroup("a").With("k", 1).WithGroup("b").Info("m", "k", 2, "time", time.Unix(0, 0).UTC())
	}
	if got := lines(t, log); !strings.Contains(got, "m a.k=1 a.b.k=2 a.b.time=") {
		t.Errorf("text: %s", got)
	}
	if got := lines(t, log, "-loggerFormat=json"); !strings.Contains(got, `"a":{"k":1,"b":{"k":2,"time":"1970-01-01T00:00:00Z"}}`) {
		t.Errorf("json: %s", got)
	}
}

func BenchmarkTextLog(b *testing.B) {
	o := logOptions{level: "INFO", format: "default", output: "stderr", timezone: "UTC", maxArgLen: 5000}
	log := newLogger(o, io.Discard, newLogCounts("v1", noneLost).count)
	err := fmt.Errorf("query: %w", io.ErrUnexpectedEOF)
	b.ReportAllocs()
	for b.Loop() {
		log.Warn("evaluation failed", "group", "api", "rule", "HighLatency", "error", err)
	}
}
