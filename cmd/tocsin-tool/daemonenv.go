package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"tocsin/internal/envvar"
)

// setFromEnv sets the flags that the command line left alone from their
// environment variables, which are called as the flags with underscores for dots.
func setFromEnv(fs *pflag.FlagSet, prefix string, lookup envvar.Lookup) error {
	var errs []error
	fs.VisitAll(func(f *pflag.Flag) {
		variable := prefix + strings.ReplaceAll(f.Name, ".", "_")
		value, ok, err := lookup.Get(variable)
		if f.Changed || !ok {
			return
		}
		if err == nil {
			err = fs.Set(f.Name, value)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s, for %w", variable, invalidValue(f.Name, err)))
		}
	})
	return errors.Join(errs...)
}
