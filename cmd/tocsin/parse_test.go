package main

import (
	"strings"
	"testing"

	"tocsin/internal/app"
	"tocsin/internal/envvar"
)

// noEnv is an empty environment.
func noEnv(string) (string, bool) { return "", false }

// env is an environment of the given variables.
func env(vars map[string]string) envvar.Lookup {
	return func(name string) (string, bool) {
		value, ok := vars[name]
		return value, ok
	}
}

// valid is a command line with what is required, followed by args.
func valid(args ...string) []string {
	return append([]string{"-datasource.url=http://vm:8428"}, args...)
}

// mustParse returns the options of a valid command line.
func mustParse(t *testing.T, args ...string) app.Options {
	t.Helper()
	line, err := parse(valid(args...), noEnv)
	if err != nil {
		t.Fatalf("parse %q: %v", args, err)
	}
	return line.options
}

// parseProblems returns what is wrong with a command line, one problem a line.
func parseProblems(t *testing.T, lookup envvar.Lookup, args ...string) []string {
	t.Helper()
	_, err := parse(args, lookup)
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}
