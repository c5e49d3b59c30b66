package main

import (
	_ "embed" // for the table below
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"tocsin/internal/envvar"
)

//go:generate go test . -run TestTableOfDaemonFlags -update

// daemonFlagTable lists the flags of the daemon and of vmalert, one a line, and
// behind those that take a value only after "=" the word switch. Without it one
// could not tell whether what follows a flag is its value.
//
//go:embed daemonflags.txt
var daemonFlagTable string

// daemonLine reads a command line on which, beside flags of our own, those of the
// daemon may stand, the way the daemon does: one dash or two, "-name=value" or
// "-name value", a switch takes a value only after "=", and %{NAME} in a value is
// an environment variable.
type daemonLine struct {
	own    *pflag.FlagSet
	used   *pflag.FlagSet  // flags of the daemon that matter; the others are ignored
	known  map[string]bool // all flags of the daemon by name, and whether they are switches
	lookup envvar.Lookup
}

func newDaemonLine(own, used *pflag.FlagSet, lookup envvar.Lookup) *daemonLine {
	known := make(map[string]bool)
	for line := range strings.Lines(daemonFlagTable) {
		name, kind, _ := strings.Cut(strings.TrimSpace(line), " ")
		known[name] = kind == "switch"
	}
	return &daemonLine{own: own, used: used, known: known, lookup: lookup}
}

// parse sets the flags that args give. The daemon's program may come first. The
// error shows no secrets; it is pflag.ErrHelp if help is asked for.
func (l *daemonLine) parse(args []string) error {
	rest := args
	if len(rest) > 0 && isDaemonProgram(rest[0]) {
		rest = rest[1:]
	}
	for len(rest) > 0 {
		position := len(args) - len(rest) + 1
		name, value, hasValue, ok := cutFlag(rest[0])
		if !ok {
			// It is not shown, as it may be the second half of a password.
			return fmt.Errorf("argument %d is not a flag; a switch takes its value after =, and a value with spaces must be in quotes", position)
		}
		rest = rest[1:]
		if name == "h" || name == "help" {
			return pflag.ErrHelp
		}
		isSwitch, err := l.isSwitch(name)
		if err != nil {
			return err
		}
		switch {
		case hasValue:
		case isSwitch:
			value = "true"
		case len(rest) == 0:
			return fmt.Errorf("-%s needs a value", name)
		default:
			value, rest = rest[0], rest[1:]
		}
		if err := l.set(name, value); err != nil {
			return err
		}
	}
	return nil
}

// isSwitch reports whether a flag takes no value from the next argument, or
// returns an error if there is no such flag.
func (l *daemonLine) isSwitch(name string) (bool, error) {
	for _, fs := range []*pflag.FlagSet{l.own, l.used} {
		if f := fs.Lookup(name); f != nil {
			return f.NoOptDefVal != "", nil
		}
	}
	isSwitch, ok := l.known[name]
	if !ok {
		return false, fmt.Errorf("unknown flag -%s, which the daemon does not have either", name)
	}
	return isSwitch, nil
}

// set sets a flag unless it is one to ignore.
func (l *daemonLine) set(name, value string) error {
	for _, fs := range []*pflag.FlagSet{l.own, l.used} {
		if fs.Lookup(name) == nil {
			continue
		}
		value, err := l.lookup.Expand(value)
		if err == nil {
			err = fs.Set(name, value)
		}
		return invalidValue(name, err)
	}
	return nil
}

// invalidValue names the flag with its problem, as the daemon does; nil stays nil.
func invalidValue(name string, err error) error {
	if err == nil {
		return nil
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		err = errors.Unwrap(invalid)
	}
	return fmt.Errorf("-%s: %w", name, err)
}

// isDaemonProgram reports whether arg is how a daemon is called.
func isDaemonProgram(arg string) bool {
	name := filepath.Base(arg)
	return !strings.HasPrefix(arg, "-") && (strings.HasPrefix(name, "tocsin") || strings.HasPrefix(name, "vmalert"))
}

// cutFlag takes a flag apart, and reports whether arg is one at all.
func cutFlag(arg string) (name, value string, hasValue, ok bool) {
	body, ok := strings.CutPrefix(arg, "-")
	name, value, hasValue = strings.Cut(strings.TrimPrefix(body, "-"), "=")
	return name, value, hasValue, ok && name != "" && name[0] != '-'
}
