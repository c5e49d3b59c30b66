package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"tocsin/config"
)

// leakChecked runs tests and fails if goroutines of theirs are left.
type leakChecked struct{ *testing.M }

func (m leakChecked) Run() int {
	// What a test sends may arrive when that test has ceased to listen.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	code := m.M.Run()
	if code != 0 {
		return code
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"tocsin": main})
}

func TestProblemsAreTakenApart(t *testing.T) {
	a, b, c := errors.New("a"), errors.New("b"), errors.New("c")
	both := fmt.Errorf("at start: %w, %w", a, b)
	first, second := config.Problem{File: "x.yml", Message: "m"}, config.Problem{File: "y.yml", Message: "m"}
	for _, test := range []struct {
		err  error
		want []error
	}{
		{a, []error{a}},
		{errors.Join(a, errors.Join(b, c)), []error{a, b, c}},
		{errors.Join(both, c), []error{both, c}}, // both says more than a and b
		{errors.Join(config.Problems{first, second}, c), []error{first, second, c}},
	} {
		got := problems(test.err)
		if diff := cmp.Diff(texts(test.want), texts(got)); diff != "" {
			t.Errorf("problems of %v (-want +got):\n%s", test.err, diff)
		}
	}
}

func texts(errs []error) []string {
	var texts []string
	for _, err := range errs {
		texts = append(texts, err.Error())
	}
	return texts
}

func TestVersionOfBuild(t *testing.T) {
	setting := func(key, value string) debug.BuildSetting { return debug.BuildSetting{Key: key, Value: value} }
	for _, c := range []struct {
		info debug.BuildInfo
		want string
	}{
		{debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, "v1.2.3"},
		{debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, "devel"},
		{debug.BuildInfo{Settings: []debug.BuildSetting{setting("vcs.revision", "0123456789abcdef")}}, "devel-0123456789ab"},
		{debug.BuildInfo{Settings: []debug.BuildSetting{setting("vcs.revision", "0123"), setting("vcs.modified", "true")}}, "devel-0123-modified"},
	} {
		if got := versionOf(&c.info); got != c.want {
			t.Errorf("versionOf(%+v) = %q, want %q", c.info, got, c.want)
		}
	}
}
