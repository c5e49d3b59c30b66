package main

import (
	"errors"
	"fmt"
	"strings"

	"tocsin/internal/envvar"
)

// setFromEnv sets every flag the command line left alone from its environment
// variable, if there is one. Flags that ask for something to be printed are for
// the command line only: "version" and "h" are too likely to be variables of
// something else.
func (f *flagSet) setFromEnv(prefix string, lookup envvar.Lookup) error {
	var errs []error
	for _, e := range f.entries {
		if e.Changed || e.command {
			continue
		}
		name := prefix + strings.ReplaceAll(e.Name, ".", "_")
		value, ok, err := lookup.Get(name)
		if !ok {
			continue
		}
		if err == nil {
			err = f.assign(e.Name, value)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s, for -%s: %w", name, e.Name, err))
		}
	}
	return errors.Join(errs...)
}
