package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// lookupEnv finds an environment variable as os.LookupEnv does.
type lookupEnv func(name string) (value string, ok bool)

// expand replaces every %{NAME} of s with the environment variable NAME, whose
// value may refer to further ones. It is an error if a variable is not set or
// refers to itself. Braces around anything but a variable's name stay as they are.
func (lookup lookupEnv) expand(s string) (string, error) {
	return lookup.expandWithin(s, nil)
}

// expandWithin expands s, which is part of the values of the variables in within.
func (lookup lookupEnv) expandWithin(s string, within []string) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(s, "%{")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed || !isEnvName(name) {
			out.WriteString("%{")
			s = rest
			continue
		}
		value, err := lookup.value(name, within)
		if err != nil {
			return "", err
		}
		out.WriteString(value)
		s = after
	}
}

func (lookup lookupEnv) value(name string, within []string) (string, error) {
	if slices.Contains(within, name) {
		return "", fmt.Errorf("the environment variable %s refers to itself", name)
	}
	value, ok := lookup(name)
	if !ok {
		return "", fmt.Errorf("the environment variable %s is not set", name)
	}
	return lookup.expandWithin(value, append(slices.Clip(within), name))
}

func isEnvName(s string) bool {
	for i, r := range s {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		digit := r >= '0' && r <= '9'
		if !letter && !(digit && i > 0) {
			return false
		}
	}
	return s != ""
}

// setFromEnv sets every flag the command line left alone from its environment
// variable, if there is one. Flags that ask for something to be printed are for
// the command line only: "version" and "h" are too likely to be variables of
// something else.
func (f *flagSet) setFromEnv(prefix string, lookup lookupEnv) error {
	var errs []error
	for _, e := range f.entries {
		if e.Changed || e.command {
			continue
		}
		name := prefix + strings.ReplaceAll(e.Name, ".", "_")
		value, ok := lookup(name)
		if !ok {
			continue
		}
		value, err := lookup.expandWithin(value, []string{name})
		if err == nil {
			err = f.assign(e.Name, value)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s, for -%s: %w", name, e.Name, err))
		}
	}
	return errors.Join(errs...)
}
