package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/config"
	"tocsin/internal/app"
	"tocsin/internal/envvar"
)

// defaultListenAddr is where tocsin listens if -httpListenAddr is not given.
const defaultListenAddr = ":8880"

// commandLine is what the arguments and the environment ask for.
type commandLine struct {
	options  app.Options
	logging  logOptions
	warnings []string // for the log once there is one
}

// parse reads the command line args, without the program's name, and, with
// -envflag.enable, the environment. A mistake does not hide the next: the error
// joins everything that is wrong. It is a printRequest if the command line asks
// for something to be printed instead.
func parse(args []string, lookup envvar.Lookup) (*commandLine, error) {
	f := defineFlags()
	errs := []error{f.parseArguments(args, lookup)}
	if f.help.asked || f.showVersion {
		return nil, f.printRequest()
	}
	if f.envEnabled {
		errs = append(errs, f.setFromEnv(f.envPrefix, lookup))
	}
	errs = append(errs, f.completeOptions(), f.checkOptions(), f.logging.check())
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	f.options.Version = version()
	f.options.Flags = f.shown()
	return &commandLine{options: f.options, logging: f.logging, warnings: f.warnings()}, nil
}

// completeOptions fills in the options that are not plain values of one flag.
func (f *flags) completeOptions() error {
	o := &f.options
	var errs [6]error
	o.Datasource.Client, errs[0] = f.datasource.client()
	o.RemoteRead.Client, errs[1] = f.remoteRead.client()
	errs[2] = f.remoteWrite.options(&o.RemoteWrite)
	o.External.Labels, errs[3] = readLabels(f.externalLabels.items)

	o.Rules.Files = f.ruleFiles.items
	o.Rules.Templates = slices.DeleteFunc(slices.Clone(f.templates.items), func(file string) bool { return file == "" })
	o.Storage.Demanded = f.entry("storage.path").Changed
	o.Rules.DefaultType = cmp.Or(config.Type(f.defaultType), config.Prometheus)
	// Less than 0 is as good as 0 here.
	o.Rules.ResultsLimit = max(o.Rules.ResultsLimit, 0)
	for _, d := range []*time.Duration{&o.Rules.ConfigCheckInterval, &o.Rules.ResendDelay, &o.Rules.MaxResolveDuration} {
		*d = max(*d, 0)
	}
	// One evaluation is always kept: pages and API show the last one.
	o.Rules.UpdateEntriesLimit = max(o.Rules.UpdateEntriesLimit, 1)
	o.External.URL = strings.TrimRight(o.External.URL, "/")
	o.HTTP.PathPrefix = cleanPathPrefix(o.HTTP.PathPrefix)
	errs[4] = f.notifier.options(&o.Notifier)
	errs[5] = f.tenants.options(o)
	return errors.Join(errors.Join(errs[:]...), f.http.options(&o.HTTP), f.push.options(&o.Metrics), f.replay.options(o))
}

// readLabels reads labels of the form name=value. The last one of a name counts.
func readLabels(items []string) ([]config.Pair, error) {
	var labels []config.Pair
	var errs []error
	for _, item := range items {
		if item == "" {
			continue
		}
		name, value, ok := strings.Cut(item, "=")
		if !ok || name == "" {
			errs = append(errs, fmt.Errorf("-external.label: %q is not of the form name=value", item))
			continue
		}
		i, found := slices.BinarySearchFunc(labels, name, func(l config.Pair, name string) int {
			return strings.Compare(l.Name, name)
		})
		if found {
			labels[i].Value = value
		} else {
			labels = slices.Insert(labels, i, config.Pair{Name: name, Value: value})
		}
	}
	return labels, errors.Join(errs...)
}

// cleanPathPrefix returns prefix with a slash before and none after it, or "" for
// no prefix.
func cleanPathPrefix(prefix string) string {
	prefix = strings.Trim(prefix, "/")
	if prefix == "" {
		return ""
	}
	return "/" + prefix
}

// warnings tells what is accepted but has no effect.
func (f *flags) warnings() []string {
	warnings := slices.Concat(f.remoteWrite.surplus(), f.notifier.surplus(f.options.Notifier.Config), f.tenants.surplus(), f.http.surplus())
	warnings = append(warnings, f.nobodysPasswords()...)
	return append(warnings, f.unused()...)
}

// nobodysPasswords warns of passwords that are sent without a user.
func (f *flags) nobodysPasswords() []string {
	o := &f.options
	warnings := nobodysPassword(o.Datasource.Client, f.datasource.flag)
	warnings = append(warnings, nobodysPassword(o.RemoteRead.Client, f.remoteRead.flag)...)
	for i := range o.RemoteWrite.Targets {
		flag := func(suffix string) string { return f.remoteWrite.targets.flag(suffix, i, len(o.RemoteWrite.Targets)) }
		warnings = append(warnings, nobodysPassword(o.RemoteWrite.Targets[i].Client, flag)...)
	}
	for i := range o.Notifier.Targets {
		flag := func(suffix string) string { return f.notifier.targets.flag(suffix, i, len(o.Notifier.Targets)) }
		warnings = append(warnings, nobodysPassword(o.Notifier.Targets[i].Client, flag)...)
	}
	return warnings
}
