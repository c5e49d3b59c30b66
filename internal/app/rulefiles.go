package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"

	"tocsin/config"
	"tocsin/internal/template"
	"tocsin/rules"
)

// loader reads the configuration that runs: rule files and template files.
type loader struct {
	opts   *Options
	log    *slog.Logger
	config *config.Loader

	unmatched []string // patterns that named no file the last time
}

func newLoader(o *Options, from *ruleSources, log *slog.Logger) *loader {
	r := &o.Rules
	return &loader{opts: o, log: log, config: config.NewLoader(config.Options{
		Patterns: r.Files,
		Defaults: config.Defaults{
			Type: r.DefaultType, Interval: r.EvaluationInterval, EvalDelay: r.EvalDelay,
			Limit: r.ResultsLimit, UpdateEntries: r.UpdateEntriesLimit, Tenants: o.Tenants,
		},
		ValidateExpressions: r.ValidateExpressions,
		StripPath:           r.StripFilePath,
		MaxSize:             r.MaxFileSize,
		Timeout:             r.LoadTimeout,
		Transport:           from.transport(),
		Objects:             from.store(),
		Env:                 os.LookupEnv,
	})}
}

// loaded is the configuration as the files have it.
type loaded struct {
	files  []rules.PlanFile
	engine *template.Engine // of the template files that are good
	broken bool             // some template file is not
	// incomplete: there may be rule files that could not be found.
	incomplete bool
	problems   []error
	// homeless: the results of files that are good otherwise have nowhere to go.
	homeless []config.Problem
}

// nowhere returns what homeless files say, each thing once.
func (c *loaded) nowhere() []error {
	var all []error
	said := map[string]bool{}
	for _, p := range c.homeless {
		if !said[p.Message] {
			said[p.Message] = true
			all = append(all, errors.New(p.Message))
		}
	}
	return all
}

// groups counts the groups that may run.
func (c *loaded) groups() int {
	n := 0
	for i := range c.files {
		n += len(c.files[i].Groups)
	}
	return n
}

// load reads everything anew. Files with problems are told from the others. The
// error is ctx's, or of options that no file can be good with.
func (l *loader) load(ctx context.Context) (*loaded, error) {
	engine, tplErr := template.Load(template.Options{
		Files: l.opts.Rules.Templates, MaxFileSize: l.opts.Rules.MaxFileSize,
		ExternalURL: l.opts.External.URL, ExternalLabels: l.opts.External.Labels,
	})
	if engine == nil {
		return nil, tplErr
	}
	set, err := l.config.Load(ctx)
	if set == nil {
		return nil, err
	}
	c := &loaded{engine: engine, broken: tplErr != nil, incomplete: set.Incomplete, problems: flatten(tplErr)}
	for i := range set.Files {
		c.add(l, &set.Files[i])
	}
	l.warnOfUnmatched(append(set.Unmatched, engine.Unmatched()...))
	return c, nil
}

// add decides whether a file can be used. If it cannot, all that is wrong is
// noted: whoever mends it wants to know of bad templates at once too.
func (c *loaded) add(l *loader, f *config.File) {
	for _, p := range f.Problems {
		c.problems = append(c.problems, p)
	}
	missing := l.missing(f.Groups)
	for _, err := range missing {
		c.homeless = append(c.homeless, config.Problem{File: f.Name, Message: err.Error()})
	}
	planned := rules.PlanFile{Name: f.Name, Groups: f.Groups}
	if len(f.Problems) > 0 || len(missing) > 0 {
		planned = rules.PlanFile{Name: f.Name, Bad: true}
	}
	if planned.Bad && !c.broken { // broken templates would be said to be missing
		c.problems = append(c.problems, flatten(l.build(f.Read, c.engine))...)
	}
	c.files = append(c.files, planned)
}

// warnOfUnmatched says once which patterns name no file.
func (l *loader) warnOfUnmatched(patterns []string) {
	if !slices.Equal(patterns, l.unmatched) && len(patterns) > 0 {
		l.log.Warn("patterns match no file", "patterns", patterns)
	}
	l.unmatched = patterns
}

// build builds every group and throws it away, for the errors of its templates.
func (l *loader) build(groups []config.Group, c rules.TemplateCompiler) error {
	if !l.opts.Rules.ValidateTemplates {
		return nil
	}
	d := &rules.Deps{Templates: c, Log: slog.New(slog.DiscardHandler)}
	var errs []error
	for i := range groups {
		if _, err := rules.NewGroup(&groups[i], d); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// missing says what the command line lacks for results of groups to have
// somewhere to go.
func (l *loader) missing(groups []config.Group) []error {
	var alerts, records bool
	for i := range groups {
		for j := range groups[i].Rules {
			alerts = alerts || groups[i].Rules[j].Kind == config.Alerting
			records = records || groups[i].Rules[j].Kind == config.Recording
		}
	}
	var errs []error
	n := &l.opts.Notifier
	if alerts && !n.wanted() && !n.Blackhole {
		errs = append(errs, errors.New("there are alerting rules, but nobody to tell: set -notifier.url or -notifier.config, or -notifier.blackhole to tell nobody"))
	}
	if records && len(l.opts.RemoteWrite.Targets) == 0 {
		errs = append(errs, errors.New("there are recording rules, but nowhere to write: set -remoteWrite.url"))
	}
	return errs
}

// located returns errs with all problems of rule files in one list, by line. Those
// that building the groups has found are given the line of their rule.
func located(errs ...error) error {
	var problems config.Problems
	var others []error
	for _, e := range flatten(errors.Join(errs...)) {
		switch e := e.(type) {
		case config.Problem:
			problems = append(problems, e)
		case *rules.RuleError:
			for _, cause := range flatten(e.Err) {
				problems = append(problems, config.ProblemIn(e.Group, e.Index, cause))
			}
		default:
			others = append(others, e)
		}
	}
	if len(problems) > 0 {
		problems.Sort()
		return errors.Join(problems, errors.Join(others...))
	}
	return errors.Join(others...)
}

// flatten returns the errors that err joins.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, flatten(e)...)
	}
	return all
}

// dryRun reads and builds everything, runs nothing and says how it went.
func dryRun(ctx context.Context, o *Options, s Signals) error {
	from, err := newRuleSources(&o.Rules, nil)
	if err != nil {
		return err
	}
	defer from.Close()
	l := newLoader(forDryRun(o), from, s.Log)
	c, err := l.load(ctx)
	if err != nil {
		return err
	}
	c.problems = append(c.problems, checkNotifierFile(ctx, o, s.Log)...)
	n := 0
	for _, f := range c.files {
		if !c.broken {
			c.problems = append(c.problems, flatten(l.build(f.Groups, c.engine))...)
		}
		for i := range f.Groups {
			n += len(f.Groups[i].Rules)
		}
	}
	switch {
	case len(c.problems) > 0:
		return located(c.problems...)
	case len(c.homeless) > 0:
		return errors.Join(c.nowhere()...)
	case c.groups() == 0 && len(o.Rules.Files) == 0:
		return errors.New("no rule files: -rule is missing")
	case c.groups() == 0:
		return fmt.Errorf("no rule groups found in %q", o.Rules.Files)
	}
	_, err = fmt.Fprintf(s.Stdout, "%d rules in %d groups are valid\n", n, c.groups())
	return err
}

// forDryRun returns o with everything checked, and as if results and alerts had
// somewhere to go: a dry run needs no servers.
func forDryRun(o *Options) *Options {
	c := *o
	c.Rules.ValidateExpressions, c.Rules.ValidateTemplates = true, true
	c.Notifier.Blackhole = true
	c.RemoteWrite.Targets = []RemoteWriteTarget{{URL: "unused"}}
	return &c
}
