package template

import (
	"context"
	"errors"

	"tocsin/rules"
)

// texts is the compiled labels or annotations of one rule. It never changes.
type texts struct {
	core  *core
	role  role
	uses  rules.TemplateUse
	items []item
}

var _ rules.Template = (*texts)(nil)

// item is one text. It is wrong, constant or has a program.
type item struct {
	name string
	text string
	prog *program
	err  error // of compilation
}

// Uses tells what the values depend on besides labels.
func (t *texts) Uses() rules.TemplateUse { return t.uses }

// Expand returns the values in order. The values that are not constant share
// one string.
func (t *texts) Expand(ctx context.Context, d *rules.TemplateData) ([]string, error) {
	values := make([]string, len(t.items))
	var errs []error
	var m *machine
	var room [8]int
	ends := room[:0] // of the values in m.out
	for i := range t.items {
		it := &t.items[i]
		switch {
		case it.err != nil:
			values[i] = it.err.Error()
			errs = append(errs, it.err)
		case it.prog == nil:
			values[i] = it.text
		default:
			if m == nil {
				m = takeMachine(t.core)
			}
			if err := it.prog.expand(ctx, m, d); err != nil {
				err = named(t.role, it.name, err)
				m.out = append(m.out, err.Error()...)
				errs = append(errs, err)
			}
			ends = append(ends, len(m.out))
		}
	}
	if m != nil {
		t.share(values, string(m.out), ends)
		m.release()
	}
	return values, errors.Join(errs...)
}

// share gives each text with a program its part of all.
func (t *texts) share(values []string, all string, ends []int) {
	start := 0
	for i := range t.items {
		if it := &t.items[i]; it.err == nil && it.prog != nil {
			values[i] = all[start:ends[0]]
			start, ends = ends[0], ends[1:]
		}
	}
}
