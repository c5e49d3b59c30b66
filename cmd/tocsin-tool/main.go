// Command tocsin-tool is the companion of tocsin. It holds what a daemon should
// not carry with it; "tocsin-tool help" lists the commands.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/spf13/pflag"
)

// release is the version, set by -ldflags "-X main.release=v1.2.3".
var release = "devel"

// Exit codes.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

// errUsage is wrapped by errors about the command line itself.
var errUsage = errors.New("see 'tocsin-tool help'")

// command is one subcommand.
type command struct {
	name, summary string
	run           func(args []string, stdout io.Writer) error
}

func commands() []command {
	return []command{
		{"demo", "run a daemon with a storage, sample rules and a receiver of alerts", runDemo},
		{"plan", "tell what a reload of a running daemon would do now", runPlan},
		{"version", "print the version", runVersion},
	}
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run runs the command that args name and returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	err := dispatch(args, stdout)
	switch {
	case err == nil, errors.Is(err, pflag.ErrHelp):
		return exitOK
	case errors.Is(err, errUsage):
		fmt.Fprintf(stderr, "tocsin-tool: %s\n", err)
		return exitUsage
	}
	fmt.Fprintf(stderr, "tocsin-tool: %s\n", err)
	return exitError
}

func dispatch(args []string, stdout io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("no command given: %w", errUsage)
	}
	switch name := args[0]; name {
	case "help", "-h", "-help", "--help":
		return runHelp(args[1:], stdout)
	case "-version", "--version":
		return runVersion(nil, stdout)
	default:
		for _, c := range commands() {
			if c.name == name {
				return c.run(args[1:], stdout)
			}
		}
		return fmt.Errorf("unknown command %q: %w", name, errUsage)
	}
}

func runHelp(args []string, stdout io.Writer) error {
	if len(args) > 0 {
		return dispatch([]string{args[0], "--help"}, stdout)
	}
	fmt.Fprint(stdout, "Usage: tocsin-tool <command> [flags]\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(stdout, "  %-9s %s\n", c.name, c.summary)
	}
	fmt.Fprint(stdout, "  help      print this, or the flags of the command that follows\n")
	return nil
}

func runVersion(args []string, stdout io.Writer) error {
	if len(args) > 0 {
		return fmt.Errorf("version takes no arguments: %w", errUsage)
	}
	_, err := fmt.Fprintf(stdout, "tocsin-tool %s %s %s/%s\n", release, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// longFlags lets flags be written with one dash, as the daemon's are: -duration
// becomes --duration.
func longFlags(args []string) []string {
	long := make([]string, len(args))
	for i, a := range args {
		if a == "--" {
			copy(long[i:], args[i:])
			break
		}
		if len(a) > 2 && a[0] == '-' && a[1] != '-' && !strings.ContainsAny(a[1:2], "0123456789.") {
			a = "-" + a
		}
		long[i] = a
	}
	return long
}

// parse parses the flags of a command that takes no other arguments; they may
// have one dash. It prints help, if that is asked for, and then returns pflag.ErrHelp.
func parse(fs *pflag.FlagSet, args []string, stdout io.Writer) error {
	fs.SetOutput(stdout)
	fs.SortFlags = false
	fs.Usage = func() {
		fmt.Fprintf(stdout, "Usage: tocsin-tool %s [flags]\n\nFlags:\n%s", fs.Name(), fs.FlagUsages())
	}
	switch err := fs.Parse(longFlags(args)); {
	case errors.Is(err, pflag.ErrHelp):
		return err
	case err != nil:
		return fmt.Errorf("%s: %w: %w", fs.Name(), err, errUsage)
	case fs.NArg() > 0:
		return fmt.Errorf("%s: unexpected argument %q: %w", fs.Name(), fs.Arg(0), errUsage)
	}
	return nil
}
