package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files and docs/flags.md")

// golden compares got with the content of a file, or rewrites the file.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is out of date; run go generate ./cmd/tocsin (-want +got):\n%s", path, diff)
	}
}

// printed returns what the command line prints instead of running.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	_, err := parse(args, noEnv)
	request, ok := errors.AsType[*printRequest](err)
	if !ok {
		t.Fatalf("%q prints nothing: %v", args, err)
	}
	return request.text
}

func TestHelp(t *testing.T) {
	golden(t, "testdata/help/short.txt", printed(t, "-help"))
}

func TestHelpByTopic(t *testing.T) {
	for _, topic := range defineFlags().topics() {
		golden(t, filepath.Join("testdata/help", topic.key+".txt"), printed(t, "-help="+topic.key))
	}
}

func TestWaysToAskForHelp(t *testing.T) {
	short, datasource := printed(t, "-help"), printed(t, "-help=datasource")
	for _, args := range []string{"-h", "--help", "-help=true", "-rule=x -h", "-unknown -help", "-help -dryRun"} {
		if got := printed(t, strings.Fields(args)...); got != short {
			t.Errorf("%s prints %.60q", args, got)
		}
	}
	for _, args := range []string{"-help datasource", "-h=Datasource", "--help=-datasource"} {
		if got := printed(t, strings.Fields(args)...); got != datasource {
			t.Errorf("%s prints %.60q", args, got)
		}
	}
}

func TestHelpForFlags(t *testing.T) {
	if got, want := printed(t, "-help=rule.evalDelay"), "  -rule.evalDelay duration  How far"; !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	got := printed(t, "-help=datasource.oauth2")
	if n := strings.Count(got, "\n"); n != 6 || strings.Count(got, "  -datasource.oauth2.") != 6 {
		t.Errorf("help for the flags of a prefix has %d lines:\n%s", n, got)
	}
}

func TestHelpForNothing(t *testing.T) {
	got := parseProblems(t, noEnv, "-help=weather")
	want := []string{`-help: no topic or flag "weather"; the topics are rules, datasource, remoteWrite, remoteRead, storage, notifier, tenants, replay, external, http, metrics, logging, general, licence, unused`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestVersion(t *testing.T) {
	got := printed(t, "-version", "-rule")
	if !strings.HasPrefix(got, "tocsin ") || !strings.Contains(got, " go1.") {
		t.Errorf("got %q", got)
	}
}

func TestFlagsDocumentation(t *testing.T) {
	golden(t, "../../docs/flags.md", flagsDocumentation(defineFlags().flagSet))
	if *update {
		TestHelp(t)
		TestHelpByTopic(t)
	}
}

const docsHead = `# Flags

<!-- Written by "go generate ./cmd/tocsin" from the definitions in cmd/tocsin. -->

The command line is that of vmalert. A flag takes one dash or two, and its value after ` + "`=`" + ` or as
the next argument; a switch takes a value only after ` + "`=`" + `. Mistakes are all reported at once, and
` + "`tocsin -help`" + `, ` + "`-help=<topic>`" + ` and ` + "`-help=<flag>`" + ` print what is below.

- **array**: repeated, or separated by commas. A comma in quotes or brackets is part of its item. The
  items of ` + "`-notifier.*`" + ` pair with those of ` + "`-notifier.url`" + `, and those of ` + "`-remoteWrite.*`" + ` with those of
  ` + "`-remoteWrite.url`" + `; a single item applies to every URL. With one ` + "`-remoteWrite.url`" + ` there is nothing to
  pair, so its other values are taken as they are, commas and quotes included.
- **duration**: ` + "`30s`, `5m`, `1h30m`, `1d`, `2w`, `1y`" + `. A number needs its unit.
- **size**: bytes, or with a unit: ` + "`64KB`" + ` is 64000 bytes, ` + "`32MiB`" + ` is 33554432.
- ` + "`%{NAME}`" + ` in a value stands for the environment variable ` + "`NAME`" + `, which must be set.
- Passwords, tokens and keys may be given as ` + "`file:///path`" + ` or as an http(s) URL to read them from.
  Those of clients that are in files are read again when the file changes; the others are read at start.

Exit codes: 0 after a clean stop, 1 if the configuration is wrong, the daemon cannot run, or alerts
or samples were left undelivered at the end, 2 if the
command line is wrong.
`

// flagsDocumentation is the content of docs/flags.md.
func flagsDocumentation(f *flagSet) string {
	var doc strings.Builder
	doc.WriteString(docsHead)
	for _, topic := range f.topics() {
		fmt.Fprintf(&doc, "\n## %s\n\n| flag | type | default | |\n|---|---|---|---|\n", topic.title)
		for _, e := range f.where(func(e *entry) bool { return e.topic == topic }) {
			fmt.Fprintf(&doc, "| `-%s` | %s | %s | %s |\n", e.Name, e.Value.Type(), cell(e.shownDefault()), cell(e.Usage))
		}
	}
	return doc.String()
}

// cell makes text fit for a cell of a Markdown table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`).Replace(text)
}
