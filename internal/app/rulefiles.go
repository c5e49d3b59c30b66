package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"tocsin/config"
	"tocsin/internal/template"
	"tocsin/rules"
)

// loader reads the configuration that runs: rule files and template files.
type loader struct {
	opts   *Options
	config *config.Loader
}

func newLoader(o *Options, t http.RoundTripper) *loader {
	r := &o.Rules
	return &loader{opts: o, config: config.NewLoader(config.Options{
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
	})}
}

// load reads everything anew. The error joins all that is wrong with the files.
func (l *loader) load(ctx context.Context) (*config.Set, *template.Engine, error) {
	engine, tplErr := template.Load(template.Options{
		Files: l.opts.Rules.Templates, MaxFileSize: l.opts.Rules.MaxFileSize,
		ExternalURL: l.opts.External.URL, ExternalLabels: l.opts.External.Labels,
	})
	set, err := l.config.Load(ctx)
	if err := errors.Join(err, tplErr); err != nil {
		return nil, nil, err
	}
	return set, engine, l.check(set.Groups)
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

// located returns err with each *rules.RuleError of it told as a problem of the
// line the rule stands in.
func located(err error) error {
	var problems config.Problems
	var others []error
	for _, e := range flatten(err) {
		var rule *rules.RuleError
		if !errors.As(e, &rule) {
			others = append(others, e)
			continue
		}
		for _, cause := range flatten(rule.Err) {
			problems = append(problems, config.ProblemIn(rule.Group, rule.Index, cause))
		}
	}
	if len(problems) > 0 {
		others = append(others, problems)
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
	l := newLoader(o, t)
	l.opts = withoutTargets(o)
	set, engine, err := l.load(ctx)
	if err != nil {
		return err
	}
	if len(set.Groups) == 0 {
		return fmt.Errorf("no rule groups found in %q", o.Rules.Files)
	}
	if err := buildAll(set.Groups, engine, o, s); err != nil {
		return err
	}
	n := 0
	for i := range set.Groups {
		n += len(set.Groups[i].Rules)
	}
	_, err = fmt.Fprintf(s.Stdout, "%d rules in %d groups are valid\n", n, len(set.Groups))
	return err
}

// withoutTargets returns o as if results and alerts had somewhere to go: a dry
// run needs no servers.
func withoutTargets(o *Options) *Options {
	c := *o
	c.Notifier.Blackhole = true
	c.RemoteWrite.URL = "unused"
	return &c
}

// buildAll builds every group, for the errors of its templates.
func buildAll(groups []config.Group, c rules.TemplateCompiler, o *Options, s Signals) error {
	if !o.Rules.ValidateTemplates {
		return nil
	}
	d := &rules.Deps{Templates: c, Log: s.Log}
	var errs []error
	for i := range groups {
		if _, err := rules.NewGroup(&groups[i], d); err != nil {
			errs = append(errs, err)
		}
	}
	return located(errors.Join(errs...))
}
