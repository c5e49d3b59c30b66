// Command tocsin is an alerting and recording-rule daemon: it evaluates rule
// groups against a datasource, sends alerts to Alertmanager and writes results
// back. Its command line is that of vmalert.
//
// This package owns the command line: it turns arguments, environment and
// signals into app.Options, a context and a reload channel. Below it nobody
// knows of flags.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"tocsin/config"
	"tocsin/internal/envvar"
)

// The exit codes.
const (
	exitClean   = 0
	exitFailure = 1 // wrong configuration, or the daemon could not run
	exitUsage   = 2 // wrong command line
)

func main() {
	tuneMemory()
	os.Exit(run(os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr))
}

// run is the program without the process: it returns the exit code.
func run(args []string, lookup envvar.Lookup, stdout, stderr io.Writer) int {
	// Before anything slow, or a SIGHUP during the start would end the process.
	caught := catchSignals(os.Exit)
	defer caught.stop()

	line, err := parse(args, lookup)
	if request, ok := errors.AsType[*printRequest](err); ok {
		io.WriteString(stdout, request.text)
		return exitClean
	}
	if err != nil {
		for _, problem := range problems(err) {
			fmt.Fprintf(stderr, "tocsin: %v\n", problem)
		}
		fmt.Fprintln(stderr, "Run tocsin -help for the flags.")
		return exitUsage
	}
	return runDaemon(line, caught, stdout, stderr)
}

// problems takes apart what errors.Join and the check of rule files put together.
// An error that says more than its parts stays whole.
func problems(err error) []error {
	if inFiles, ok := err.(config.Problems); ok {
		all := make([]error, len(inFiles))
		for i, p := range inFiles {
			all[i] = p
		}
		return all
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, part := range joined.Unwrap() {
		all = append(all, problems(part)...)
	}
	if errors.Join(all...).Error() != err.Error() {
		return []error{err}
	}
	return all
}
