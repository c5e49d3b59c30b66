package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
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

func newLoader(o *Options, t http.RoundTripper, log *slog.Logger) *loader {
	r := &o.Rules
	return &loader{opts: o, log: log, config: config.NewLoader(config.Options{
		Patterns: r.Files,
		Defaults: config.Defaults{
			Type: r.DefaultType, Interval: r.EvaluationInterval, EvalDelay: r.EvalDelay,
			Limit: r.ResultsLimit, UpdateEntries: r.UpdateEntriesLimit,
		},
		ValidateExpressions: r.ValidateExpressions,
		StripPath:           r.StripFilePath,
		MaxSize:             r.MaxFileSize,
		Timeout:             r.LoadTimeout,
		Transport:           t,
		Env:                 os.LookupEnv,
	})}
}

// load reads everything anew. The error joins all that is wrong.
func (l *loader) load(ctx context.Context) (*config.Set, *template.Engine, error) {
	engine, tplErr := template.Load(template.Options{
		Files: l.opts.Rules.Templates, MaxFileSize: l.opts.Rules.MaxFileSize,
		ExternalURL: l.opts.External.URL, ExternalLabels: l.opts.External.Labels,
	})
	set, err := l.config.Load(ctx)
	if set == nil {
		return nil, nil, errors.Join(err, tplErr)
	}
	err = errors.Join(err, l.check(set.Groups))
	if err != nil && tplErr == nil {
		// Whoever mends the files wants to know of bad templates at once too.
		for i := range set.Files {
			err = errors.Join(err, l.build(set.Files[i].Read, engine))
		}
	}
	if err := errors.Join(err, tplErr); err != nil {
		return nil, nil, located(err)
	}
	l.warnOfUnmatched(append(set.Unmatched, engine.Unmatched()...))
	return set, engine, nil
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

// check reports rules whose results would have nowhere to go.
func (l *loader) check(groups []config.Group) error {
	var alerts, records, tenants bool
	for i := range groups {
		tenants = tenants || groups[i].Tenant != ""
		for j := range groups[i].Rules {
			alerts = alerts || groups[i].Rules[j].Kind == config.Alerting
			records = records || groups[i].Rules[j].Kind == config.Recording
		}
	}
	var errs []error
	n := &l.opts.Notifier
	if alerts && len(n.URLs) == 0 && !n.Blackhole {
		errs = append(errs, errors.New("there are alerting rules, but nobody to tell: set -notifier.url, or -notifier.blackhole to tell nobody"))
	}
	if records && l.opts.RemoteWrite.URL == "" {
		errs = append(errs, errors.New("there are recording rules, but nowhere to write: set -remoteWrite.url"))
	}
	if tenants {
		errs = append(errs, errors.New("there are groups with a tenant, which is not supported yet"))
	}
	return errors.Join(errs...)
}

// located returns err with all problems of rule files in one list, by line. Those
// that building the groups has found are given the line of their rule.
func located(err error) error {
	var problems config.Problems
	var others []error
	for _, e := range flatten(err) {
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
	t, err := ruleTransport(nil)
	if err != nil {
		return err
	}
	defer t.Close()
	l := newLoader(forDryRun(o), t, s.Log)
	set, engine, err := l.load(ctx)
	if err != nil {
		return err
	}
	if len(set.Groups) == 0 {
		if len(o.Rules.Files) == 0 {
			return errors.New("no rule files: -rule is missing")
		}
		return fmt.Errorf("no rule groups found in %q", o.Rules.Files)
	}
	if err := located(l.build(set.Groups, engine)); err != nil {
		return err
	}
	n := 0
	for i := range set.Groups {
		n += len(set.Groups[i].Rules)
	}
	_, err = fmt.Fprintf(s.Stdout, "%d rules in %d groups are valid\n", n, len(set.Groups))
	return err
}

// forDryRun returns o with everything checked, and as if results and alerts had
// somewhere to go: a dry run needs no servers.
func forDryRun(o *Options) *Options {
	c := *o
	c.Rules.ValidateExpressions, c.Rules.ValidateTemplates = true, true
	c.Notifier.Blackhole = true
	c.RemoteWrite.URL = "unused"
	return &c
}
