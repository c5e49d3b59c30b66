package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"tocsin/config"
	"tocsin/internal/template"
	"tocsin/rules"
)

// loadAll reads all rules, or returns everything that is wrong with them.
func (l *loader) loadAll(ctx context.Context) ([]config.Group, *template.Engine, error) {
	c, err := l.load(ctx)
	if err != nil {
		return nil, nil, err
	}
	var groups []config.Group
	for i := range c.files {
		groups = append(groups, c.files[i].Groups...)
	}
	if !c.broken {
		c.problems = append(c.problems, flatten(l.build(groups, c.engine))...)
	}
	switch {
	case len(c.problems) > 0:
		return nil, nil, located(c.problems...)
	case len(c.homeless) > 0:
		return nil, nil, errors.Join(c.nowhere()...)
	case len(groups) == 0:
		return nil, nil, fmt.Errorf("no rule groups found in %q", l.opts.Rules.Files)
	}
	return groups, c.engine, nil
}

// replayedGroups builds the groups. Those that cannot be replayed are all refused.
func (a *App) replayedGroups(all []config.Group, engine *template.Engine) ([]*rules.Group, error) {
	deps, err := a.replayDeps(engine)
	if err != nil {
		return nil, err
	}
	var groups []*rules.Group
	var errs []error
	for i := range all {
		if all[i].Type == config.Graphite {
			errs = append(errs, config.Problem{
				File: all[i].Key.File, Line: all[i].Line, Group: all[i].Key.Name,
				Message: "groups of type graphite cannot be replayed",
			})
			continue
		}
		// With -rule.validateTemplates=false a bad template expands to its error.
		g, _ := rules.NewGroup(&all[i], deps)
		groups = append(groups, g)
	}
	if len(errs) > 0 {
		return nil, located(errs...)
	}
	return groups, nil
}

func (a *App) replayDeps(engine *template.Engine) (*rules.Deps, error) {
	o := a.opts
	options, err := evaluation(o)
	if err != nil {
		return nil, err
	}
	return &rules.Deps{
		Querier: a.datasource, Templates: engine, Link: defaultLink(o.External.URL),
		Counters: rules.NewCounters(a.metrics), Log: slog.New(slog.DiscardHandler),
		Options: options,
	}, nil
}
