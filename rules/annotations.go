package rules

import (
	"context"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
)

// annotator expands the annotations of a rule.
type annotator struct {
	names []string // sorted
	tpl   Template // nil when the rule has no annotations
	uses  TemplateUse

	failed bool // in the last round; owned by the rule's evaluation
}

func newAnnotator(texts []config.Pair, c TemplateCompiler) (annotator, error) {
	var an annotator
	if len(texts) == 0 {
		return an, nil
	}
	for _, p := range texts {
		an.names = append(an.names, p.Name)
	}
	tpl, err := c.CompileAnnotations(texts)
	an.tpl, an.uses = tpl, tpl.Uses()
	return an, err
}

// expand returns the annotations of one alert. A text that fails is its error.
func (an *annotator) expand(ctx context.Context, d *TemplateData, b *labels.ScratchBuilder) (labels.Labels, error) {
	values, err := an.tpl.Expand(ctx, d)
	b.Reset()
	for i, name := range an.names {
		b.Add(name, values[i])
	}
	return b.Labels(), err
}

// templateData returns what the annotations of a see.
func (r *alertingRule) templateData(ev evaluation, a *Instance, partial bool) TemplateData {
	return TemplateData{
		Labels: TemplateLabels{Result: a.Result, Alert: a.Labels, Added: r.names},
		Value:  a.Value, Type: r.group.Type, Expr: r.rule.Expr,
		Interval: r.group.Interval, For: r.rule.For,
		ActiveAt: a.ActiveAt.Time(), AlertID: a.ID, GroupID: r.groupID,
		Partial: partial, Query: r.queryFor(ev),
	}
}
