package template

import (
	"context"
	"errors"

	"tocsin/config"
	"tocsin/rules"
)

// texts is the compiled labels or annotations of one rule. It never changes.
type texts struct {
	core  *core
	role  role
	uses  rules.TemplateUse
	pairs []config.Pair // as given to the compiler
	// programs are those of the pairs that have actions, at their positions; nil
	// when none has.
	programs []*program
	errs     []error // of compilation, at the same positions; nil when it went well
}

var _ rules.Template = (*texts)(nil)

// add compiles pair number i.
func (t *texts) add(e *Engine, i int) {
	p := t.pairs[i]
	if !hasAction(p.Value) {
		return
	}
	prog, err := e.programs.get(t.core, t.role, p.Value)
	if err != nil {
		if t.errs == nil {
			t.errs = make([]error, len(t.pairs))
		}
		t.errs[i] = named(t.role, p.Name, err)
		return
	}
	if t.programs == nil {
		t.programs = make([]*program, len(t.pairs))
	}
	t.programs[i] = prog
	t.uses |= prog.uses()
}

// Uses tells what the values depend on besides labels.
func (t *texts) Uses() rules.TemplateUse { return t.uses }

// Expand returns the values in order. The values that are not constant share
// one string.
func (t *texts) Expand(ctx context.Context, d *rules.TemplateData) ([]string, error) {
	values := make([]string, len(t.pairs))
	for i := range t.pairs {
		values[i] = t.pairs[i].Value
	}
	for i, err := range t.errs {
		if err != nil {
			values[i] = err.Error()
		}
	}
	if t.programs == nil {
		return values, errors.Join(t.errs...)
	}
	errs := t.run(ctx, d, values)
	return values, errors.Join(append(errs, t.errs...)...)
}

// run expands the texts that have programs into values.
func (t *texts) run(ctx context.Context, d *rules.TemplateData, values []string) (errs []error) {
	m := takeMachine(t.core)
	defer m.release()
	var room [8]int
	ends := room[:0] // of the values in m.out
	for i, prog := range t.programs {
		if prog == nil {
			continue
		}
		if err := prog.expand(ctx, m, d); err != nil {
			err = named(t.role, t.pairs[i].Name, err)
			m.out = append(m.out, err.Error()...)
			errs = append(errs, err)
		}
		ends = append(ends, len(m.out))
	}
	all, start := string(m.out), 0
	for i, prog := range t.programs {
		if prog != nil {
			values[i] = all[start:ends[0]]
			start, ends = ends[0], ends[1:]
		}
	}
	return errs
}
