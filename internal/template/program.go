package template

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"weak"

	"tocsin/rules"
)

// program is one text, compiled. Texts that are equal share it.
type program struct {
	text   string
	role   role
	facts  facts
	depth  uint8 // stack slots that ops needs
	fast   bool  // ops stands for the whole text
	ops    []op
	consts []operand // numbers and strings that ops push

	// slow executes the text by text/template. Programs with operations make it
	// when they first need it.
	slow atomic.Pointer[execution]
}

// compileText compiles one text. The error says where in the text it is wrong.
func compileText(c *core, r role, text string) (*program, error) {
	prog := &program{text: text, role: r}
	if !hasAction(text) {
		prog.setConstant(text)
		return prog, nil
	}
	p, err := parseText(r, text)
	if err != nil {
		return nil, err
	}
	prog.facts = factsOf(c, p)
	if prog.facts&recursive != 0 {
		// text/template gives up only after 100,000 calls, and if they are inside of
		// range it takes hours to unwind them.
		return nil, fmt.Errorf("template: %s: a template calls itself; use tmpl for that", r.parseName())
	}
	if r == sourceText && prog.facts&usesQuery != 0 {
		return nil, fmt.Errorf("template: %s: the function query cannot be used here", r.parseName())
	}
	// Only text/template is given data in which blank fields are blank.
	blank := prog.facts.blank(r)
	prog.facts &^= blank
	if blank != 0 || !prog.compile(c, p) {
		prog.slow.Store(newExecution(c, p, prog.facts))
	}
	return prog, nil
}

// constant returns the text as it always expands, with no program, or the text
// as it is written, with the program that expands it.
func (p *program) constant(text string) (string, *program) {
	if !p.fast {
		return text, p
	}
	switch {
	case len(p.ops) == 0:
		return "", nil
	case len(p.ops) == 1 && p.ops[0].code == opText:
		return p.ops[0].text, nil
	}
	return text, p
}

func (p *program) setConstant(text string) {
	p.fast = true
	if text != "" {
		p.ops = []op{{code: opText, text: text}}
	}
}

func (p *program) uses() rules.TemplateUse { return p.facts.uses() }

// expand appends the value of the text to m.out, or nothing and returns an
// error.
func (p *program) expand(ctx context.Context, m *machine, d *rules.TemplateData) error {
	start := len(m.out)
	if p.fast {
		if m.run(p, d) && len(m.out)-start <= maxOutput {
			return nil
		}
		m.out = m.out[:start]
	}
	x, err := p.execution(m.core)
	if err != nil {
		return err
	}
	out, err := x.run(ctx, m.core, d, m.out)
	if err != nil {
		return err
	}
	m.out = out
	return nil
}

// execution returns the text as text/template executes it.
func (p *program) execution(c *core) (*execution, error) {
	if x := p.slow.Load(); x != nil {
		return x, nil
	}
	t, err := parseText(p.role, p.text)
	if err != nil {
		return nil, err
	}
	x := newExecution(c, t, p.facts)
	p.slow.Store(x)
	return x, nil
}

// intern finds the program of a text that was compiled before, as long as some
// rule uses it: it holds on to none itself.
type intern struct {
	mu       sync.Mutex // guards the fields below
	programs map[internKey]weak.Pointer[program]
}

type internKey struct {
	role role
	text string
}

func newIntern() *intern {
	return &intern{programs: make(map[internKey]weak.Pointer[program])}
}

// get returns the program of text, compiling it if it is new. Texts that do not
// compile are not remembered.
func (i *intern) get(c *core, r role, text string) (*program, error) {
	key := internKey{r, text}
	if p := i.find(key); p != nil {
		return p, nil
	}
	p, err := compileText(c, r, text)
	if err != nil {
		return nil, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if other := i.programs[key].Value(); other != nil {
		return other, nil
	}
	i.programs[key] = weak.Make(p)
	runtime.AddCleanup(p, i.forget, key)
	return p, nil
}

func (i *intern) find(key internKey) *program {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.programs[key].Value()
}

// forget drops the entry of a program that is gone, unless the text was compiled
// again meanwhile.
func (i *intern) forget(key internKey) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.programs[key].Value() == nil {
		delete(i.programs, key)
	}
}
