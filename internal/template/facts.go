package template

import (
	"slices"
	"text/template/parse"

	"tocsin/rules"
)

// facts is what a text may depend on, found without running it. It errs on the
// side of too much.
type facts uint32

const (
	usesQuery facts = 1 << (fieldCount + iota)
	usesNow
	usesAll     // the data as a whole, so any field
	usesUnknown // a template whose name is known only at run time
	recursive   // a template that calls itself, maybe by way of others
)

func (f field) fact() facts { return 1 << f }

// uses translates facts for those who keep expanded values.
func (f facts) uses() rules.TemplateUse {
	var u rules.TemplateUse
	if f&(valueField.fact()|usesAll) != 0 {
		u |= rules.UsesValue
	}
	if f&(activeAtField.fact()|usesAll) != 0 {
		u |= rules.UsesActiveAt
	}
	if f&(partialField.fact()|usesAll) != 0 {
		u |= rules.UsesPartial
	}
	if f&(usesQuery|usesNow|usesUnknown) != 0 {
		u |= rules.UsesWorld
	}
	return u
}

// labelFields are the fields that texts of labels see: those by which an alert
// is known, and what is the same for every alert. The others are blank, as in
// vmalert: a label that changed from round to round would make another alert.
const labelFields = 1<<labelsField | 1<<valueField | 1<<exprField | 1<<externalLabelsField | 1<<externalURLField

// blank returns those of f which are the fields that a text of role r refers to
// without seeing them.
func (f facts) blank(r role) facts {
	if r != labelText {
		return 0
	}
	return f & (1<<fieldCount - 1) &^ labelFields
}

// factsOf returns the facts of a text and of the templates it calls.
func factsOf(c *core, p *parsed) facts {
	w := walk{core: c, locals: p.locals, data: true, dot: true, entered: make(map[call]bool)}
	w.nodes(p.body())
	if w.found&usesUnknown != 0 {
		for name := range c.trees {
			w.enter(name, false)
		}
		for name := range p.locals {
			w.enter(name, false)
		}
	}
	return w.found
}

// walk collects the facts of one template.
type walk struct {
	core   *core
	locals map[string]*parse.Tree

	found    facts
	data     bool     // $ is the data of the alert
	dot      bool     // . is the data of the alert
	declared []string // variables in scope that the text declares itself
	entered  map[call]bool
	calls    []string // templates called and not yet left, this one last
}

// call is a template called with the data of the alert, or with something else.
type call struct {
	name string
	data bool
}

func (w *walk) nodes(nodes []parse.Node) {
	scope := len(w.declared)
	for _, n := range nodes {
		w.node(n)
	}
	w.declared = w.declared[:scope]
}

func (w *walk) list(l *parse.ListNode) {
	if l != nil {
		w.nodes(l.Nodes)
	}
}

func (w *walk) node(n parse.Node) {
	switch n := n.(type) {
	case *parse.ActionNode:
		w.pipe(n.Pipe)
	case *parse.IfNode:
		w.branch(&n.BranchNode, w.dot)
	case *parse.WithNode:
		w.branch(&n.BranchNode, w.isData(n.Pipe))
	case *parse.RangeNode:
		w.branch(&n.BranchNode, false)
	case *parse.TemplateNode:
		w.template(n)
	}
}

// branch walks a condition and what depends on it; dot says whether the first
// part sees the data of the alert.
func (w *walk) branch(n *parse.BranchNode, dot bool) {
	scope, outer := len(w.declared), w.dot
	if !dot || !w.isData(n.Pipe) {
		w.pipe(n.Pipe)
	}
	w.dot = dot
	w.list(n.List)
	w.dot = outer
	w.list(n.ElseList)
	w.declared = w.declared[:scope]
}

func (w *walk) template(n *parse.TemplateNode) {
	data := w.isData(n.Pipe)
	if n.Pipe != nil && !data {
		w.pipe(n.Pipe)
	}
	w.enter(n.Name, data)
}

// enter adds the facts of a template that is called.
func (w *walk) enter(name string, data bool) {
	tree := w.locals[name]
	if tree == nil {
		tree = w.core.trees[name]
	}
	if slices.Contains(w.calls, name) {
		w.found |= recursive
		return
	}
	at := call{name, data}
	if tree == nil || w.entered[at] {
		return
	}
	w.entered[at] = true
	inner := walk{
		core: w.core, locals: w.locals, data: data, dot: data,
		entered: w.entered, calls: append(slices.Clip(w.calls), name),
	}
	inner.list(tree.Root)
	w.found |= inner.found
}

// enterNested adds the facts of a template that the function tmpl calls. Those
// may call one another in a circle, for their depth is limited.
func (w *walk) enterNested(name string, data bool) {
	outer := w.calls
	w.calls = nil
	w.enter(name, data)
	w.calls = outer
}

// isData reports whether a pipeline is nothing but the data of the alert.
func (w *walk) isData(p *parse.PipeNode) bool {
	if p == nil || len(p.Decl) > 0 || len(p.Cmds) != 1 || len(p.Cmds[0].Args) != 1 {
		return false
	}
	return w.isDataNode(p.Cmds[0].Args[0])
}

func (w *walk) isDataNode(n parse.Node) bool {
	switch n := n.(type) {
	case *parse.DotNode:
		return w.dot
	case *parse.VariableNode:
		return w.data && len(n.Ident) == 1 && n.Ident[0] == "$"
	}
	return false
}

func (w *walk) pipe(p *parse.PipeNode) {
	if p == nil {
		return
	}
	for _, c := range p.Cmds {
		w.command(c)
	}
	for _, d := range p.Decl {
		w.declared = append(w.declared, d.Ident[0])
	}
}

func (w *walk) command(c *parse.CommandNode) {
	args := c.Args
	if id, ok := args[0].(*parse.IdentifierNode); ok && id.Ident == "tmpl" && len(args) > 1 {
		if name, ok := args[1].(*parse.StringNode); ok {
			data := len(args) == 3 && w.isDataNode(args[2])
			w.enterNested(name.Text, data)
			args = args[2:]
			if data {
				return
			}
		}
	}
	for _, a := range args {
		w.argument(a)
	}
}

func (w *walk) argument(n parse.Node) {
	switch n := n.(type) {
	case *parse.DotNode:
		if w.dot {
			w.found |= usesAll
		}
	case *parse.FieldNode:
		if w.dot {
			w.path(n.Ident[0])
		}
	case *parse.VariableNode:
		w.variable(n)
	case *parse.PipeNode:
		w.pipe(n)
	case *parse.ChainNode:
		w.argument(n.Node)
	case *parse.IdentifierNode:
		w.function(n.Ident)
	}
}

func (w *walk) variable(n *parse.VariableNode) {
	switch {
	case n.Ident[0] != "$":
		if slices.Contains(w.declared, n.Ident[0]) {
			return
		}
		if f, ok := fieldOfVariable(n.Ident[0]); ok {
			w.found |= f.fact()
		}
	case !w.data:
	case len(n.Ident) == 1:
		w.found |= usesAll
	default:
		w.path(n.Ident[1])
	}
}

func (w *walk) path(name string) {
	if f, ok := fieldOfPath(name); ok {
		w.found |= f.fact()
	}
}

func (w *walk) function(name string) {
	switch name {
	case "query":
		w.found |= usesQuery
	case "now":
		w.found |= usesNow
	case "tmpl":
		w.found |= usesUnknown
	}
}
