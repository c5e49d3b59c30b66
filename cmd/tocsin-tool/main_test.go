package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"tocsin/cmd/tocsin-tool/internal/demo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCommandLine(t *testing.T) {
	for _, c := range []struct {
		args           string
		code           int
		stdout, stderr string // what they contain
	}{
		{"", 2, "", "no command given"},
		{"help", 0, "demo", ""},
		{"--help", 0, "version", ""},
		{"help demo", 0, "--duration", ""},
		{"demo -help", 0, "--httpListenAddr", ""},
		{"help nonsense", 2, "", `unknown command "nonsense"`},
		{"help plan", 0, "--url", ""},
		{"plan -h", 0, "-reloadAuthKey", ""},
		{"plan -rule=x -help", 0, "--timeout", ""},
		{"plan now", 2, "", "plan: argument 1 is not a flag"},
		{"plan -nonsense", 2, "", "unknown flag -nonsense"},
		{"plan --url=nonsense", 2, "", "--url: URL must begin"},
		{"nonsense", 2, "", `unknown command "nonsense"`},
		{"version", 0, "tocsin-tool devel go", ""},
		{"-version", 0, "tocsin-tool devel go", ""},
		{"version now", 2, "", "takes no arguments"},
		{"demo now", 2, "", `unexpected argument "now"`},
		{"demo -nonsense", 2, "", "nonsense"},
		{"demo -duration soon", 2, "", "duration"},
		{"demo -duration=-5s", 2, "", "must not be negative"},
	} {
		t.Run(c.args, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(strings.Fields(c.args), &stdout, &stderr); code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for _, s := range []struct{ name, got, want string }{
				{"stdout", stdout.String(), c.stdout}, {"stderr", stderr.String(), c.stderr},
			} {
				if s.want == "" && s.got != "" || !strings.Contains(s.got, s.want) {
					t.Errorf("%s is %q, want %q in it", s.name, s.got, s.want)
				}
			}
		})
	}
}

func TestFlagsMayHaveOneDash(t *testing.T) {
	got := longFlags([]string{"-duration", "-5s", "-a=b", "--c", "-h", "--", "-d"})
	want := []string{"--duration", "-5s", "--a=b", "--c", "-h", "--", "-d"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestDemoShowsAlertFireAndResolve runs the whole demo, the real daemon
// included, until an alert has come and gone.
func TestDemoShowsAlertFireAndResolve(t *testing.T) {
	if testing.Short() {
		t.Skip("takes several evaluation intervals")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out bytes.Buffer
	err := demo.Run(ctx, demo.Options{
		Daemon: runDaemon, Duration: 2 * time.Minute, Out: &out, Proved: cancel, Version: "test",
	})
	if err != nil {
		t.Fatalf("%s\n%s", err, out.String())
	}
	for _, want := range []string{"  FIRING  ", "  RESOLVED  ", "/vmalert/groups"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("terminal lacks %q:\n%s", want, out.String())
		}
	}
	for _, complaint := range []string{"level=WARN", "level=ERROR"} {
		if strings.Contains(out.String(), complaint) {
			t.Errorf("terminal shows %s:\n%s", complaint, out.String())
		}
	}
}
