package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// lookupEnv finds an environment variable as os.LookupEnv does.
type lookupEnv func(name string) (value string, ok bool)

// expand replaces every %{NAME} of s with the environment variable NAME, as the
// daemon does: what its value refers to is replaced, too.
func (lookup lookupEnv) expand(s string) (string, error) {
	return lookup.expandWithin(s, nil)
}

// expandWithin expands s, which is part of the values of the variables in within.
func (lookup lookupEnv) expandWithin(s string, within []string) (string, error) {
	var errs []error
	reference := regexp.MustCompile(`%\{[A-Za-z_][A-Za-z0-9_]*\}`)
	s = reference.ReplaceAllStringFunc(s, func(r string) string {
		name := r[len("%{") : len(r)-len("}")]
		value, err := lookup.value(name, within)
		errs = append(errs, err)
		return value
	})
	return s, errors.Join(errs...)
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

// setFromEnv sets the flags that the command line left alone from their
// environment variables, which are called as the flags with underscores for dots.
func setFromEnv(fs *pflag.FlagSet, prefix string, lookup lookupEnv) error {
	var errs []error
	fs.VisitAll(func(f *pflag.Flag) {
		variable := prefix + strings.ReplaceAll(f.Name, ".", "_")
		value, ok := lookup(variable)
		if f.Changed || !ok {
			return
		}
		value, err := lookup.expandWithin(value, []string{variable})
		if err == nil {
			err = fs.Set(f.Name, value)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s, for %w", variable, invalidValue(f.Name, err)))
		}
	})
	return errors.Join(errs...)
}
