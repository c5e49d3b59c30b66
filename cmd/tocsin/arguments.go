package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"tocsin/internal/envvar"
	"tocsin/internal/typo"
)

// parseArguments sets flags from args in the style of Go's flag package, which
// is vmalert's: one dash or two, "-name=value" or "-name value", and a switch
// takes a value only after "=". It goes on after a mistake and returns all of
// them; flags it could set are set nevertheless.
func (f *flagSet) parseArguments(args []string, lookup envvar.Lookup) error {
	var errs []error
	for rest := args; len(rest) > 0; {
		position := len(args) - len(rest) + 1
		var err error
		rest, err = f.parseFirst(rest, position, lookup)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// parseFirst handles the flag args begins with and returns what follows it. The
// position is that of the flag in the whole command line, from 1.
func (f *flagSet) parseFirst(args []string, position int, lookup envvar.Lookup) (rest []string, err error) {
	arg, rest := args[0], args[1:]
	if arg == "--" {
		// Everything after it would be an argument, and there are none.
		if len(rest) == 0 {
			return nil, nil
		}
		return nil, unexpectedArgument(rest[0], position+1)
	}
	arg, err = lookup.Expand(arg)
	if err != nil {
		return rest, fmt.Errorf("%s: %w", flagOf(args[0]), err)
	}
	if arg == "" {
		return rest, nil // such as "%{OPTIONAL}", with a variable that is empty
	}
	body, ok := cutDashes(arg)
	if !ok {
		return rest, unexpectedArgument(arg, position)
	}
	name, value, hasValue := strings.Cut(body, "=")
	known := f.set.Lookup(name)
	switch {
	case known == nil:
		if !hasValue && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
			rest = rest[1:] // most likely its value
		}
		return rest, f.unknown(name)
	case hasValue:
	case known.NoOptDefVal != "":
		value = known.NoOptDefVal
		if takesTopic(known) && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
			value, rest = rest[0], rest[1:]
		}
	case len(rest) == 0:
		return nil, fmt.Errorf("-%s needs a value", name)
	default:
		value, err = lookup.Expand(rest[0])
		rest = rest[1:]
	}
	if err == nil {
		err = f.assign(name, value)
	}
	if err != nil {
		err = fmt.Errorf("-%s: %w", name, err)
	}
	return rest, err
}

// assign sets a flag. The error says what is wrong with the value, without it.
func (f *flagSet) assign(name, value string) error {
	err := f.set.Set(name, value)
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return errors.Unwrap(invalid)
	}
	return err
}

// cutDashes takes the one or two dashes from the front of a flag. It reports
// whether arg is a flag at all.
func cutDashes(arg string) (body string, ok bool) {
	body, ok = strings.CutPrefix(arg, "-")
	if !ok {
		return "", false
	}
	body = strings.TrimPrefix(body, "-")
	return body, body != "" && body[0] != '-' && body[0] != '='
}

// flagOf is the flag in arg without its value, which may be secret.
func flagOf(arg string) string {
	name, _, _ := strings.Cut(arg, "=")
	return name
}

// unexpectedArgument is about an argument that is not a flag. Its text is not
// shown as it may be the second half of a secret with a space in it.
func unexpectedArgument(arg string, position int) error {
	if _, err := strconv.ParseBool(arg); err == nil {
		return fmt.Errorf("argument %d is not a flag; a switch takes its value after =, as in -dryRun=false", position)
	}
	return fmt.Errorf("argument %d is not a flag; a value with spaces must be in quotes", position)
}

// unknown is about a flag that is not defined.
func (f *flagSet) unknown(name string) error {
	candidates := make([]string, 0, len(f.entries))
	for _, e := range f.entries {
		if len(e.Name) > 1 {
			candidates = append(candidates, e.Name)
		}
	}
	if guess := typo.Nearest(name, candidates); guess != "" {
		return fmt.Errorf("unknown flag -%s; did you mean -%s?", name, guess)
	}
	return fmt.Errorf("unknown flag -%s", name)
}
