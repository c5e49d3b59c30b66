// Package envvar replaces references to environment variables in command lines.
package envvar

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Lookup finds an environment variable as os.LookupEnv does.
type Lookup func(name string) (value string, ok bool)

// Expand replaces every %{NAME} of s with the environment variable NAME, whose
// value may refer to further ones. It is an error if a variable is not set or
// refers to itself. Braces around anything but a variable's name stay as they are.
func (lookup Lookup) Expand(s string) (string, error) {
	return lookup.expandWithin(s, nil)
}

// Get returns the variable of this name with what it refers to replaced. It is not
// ok if it is not set.
func (lookup Lookup) Get(name string) (value string, ok bool, err error) {
	if value, ok = lookup(name); !ok {
		return "", false, nil
	}
	value, err = lookup.expandWithin(value, []string{name})
	return value, true, err
}

// expandWithin expands s, which is part of the values of the variables in within.
func (lookup Lookup) expandWithin(s string, within []string) (string, error) {
	if !strings.Contains(s, "%{") {
		return s, nil
	}
	reference := regexp.MustCompile(`%\{[A-Za-z_][A-Za-z0-9_]*\}`)
	var errs []error
	s = reference.ReplaceAllStringFunc(s, func(r string) string {
		value, err := lookup.value(r[len("%{"):len(r)-len("}")], within)
		errs = append(errs, err)
		return value
	})
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	return s, nil
}

func (lookup Lookup) value(name string, within []string) (string, error) {
	if slices.Contains(within, name) {
		return "", fmt.Errorf("the environment variable %s refers to itself", name)
	}
	value, ok := lookup(name)
	if !ok {
		return "", fmt.Errorf("the environment variable %s is not set", name)
	}
	return lookup.expandWithin(value, append(slices.Clip(within), name))
}
