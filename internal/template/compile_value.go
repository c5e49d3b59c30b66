package template

import (
	"math"
	"slices"
	"strings"
	"text/template/parse"
)

// pipe translates a pipeline. Its value is left on the stack.
func (c *compiler) pipe(p *parse.PipeNode) (kind, bool) {
	if p == nil {
		return noKind, false
	}
	k, ok := noKind, true
	for _, cmd := range p.Cmds {
		if k, ok = c.command(cmd, k); !ok {
			return noKind, false
		}
	}
	return k, true
}

// command translates one command. The kind of what is piped into it is noKind
// for the first of a pipeline.
func (c *compiler) command(cmd *parse.CommandNode, piped kind) (kind, bool) {
	if id, ok := cmd.Args[0].(*parse.IdentifierNode); ok {
		return c.function(id.Ident, cmd.Args[1:], piped)
	}
	if len(cmd.Args) > 1 || piped != noKind {
		return noKind, false
	}
	return c.operand(cmd.Args[0])
}

// operand translates one argument.
func (c *compiler) operand(n parse.Node) (kind, bool) {
	switch n := n.(type) {
	case *parse.StringNode:
		return c.pushConst(textValue(n.Text))
	case *parse.BoolNode:
		return c.pushConst(boolValue(n.True))
	case *parse.NumberNode:
		return c.number(n)
	case *parse.VariableNode:
		return c.variable(n)
	case *parse.FieldNode:
		return c.path(n.Ident)
	case *parse.DotNode:
		if c.dot < 0 {
			return noKind, false
		}
		return c.push(op{code: opPushSlot, to: int32(c.dot)}, c.dotKind)
	case *parse.PipeNode:
		if len(n.Decl) > 0 {
			return noKind, false
		}
		return c.pipe(n)
	case *parse.IdentifierNode:
		return c.function(n.Ident, nil, noKind)
	}
	return noKind, false
}

// number gives a constant the type that text/template gives it.
func (c *compiler) number(n *parse.NumberNode) (kind, bool) {
	switch {
	case n.IsComplex && !n.IsInt && !n.IsFloat:
		return noKind, false
	case strings.HasPrefix(n.Text, "'"):
		return noKind, false
	case n.IsInt && n.Int64 >= math.MinInt32 && n.Int64 <= math.MaxInt32 && !strings.ContainsAny(n.Text, ".eEpPi"):
		return c.pushConst(intValue(int(n.Int64)))
	case n.IsFloat && strings.ContainsAny(n.Text, ".") && !strings.ContainsAny(n.Text, "xXpPi"):
		return c.pushConst(floatValue(n.Float64))
	}
	return noKind, false
}

func (c *compiler) variable(n *parse.VariableNode) (kind, bool) {
	name, rest := n.Ident[0], n.Ident[1:]
	if name == "$" {
		if len(rest) == 0 {
			return noKind, false
		}
		return c.rootPath(rest)
	}
	for _, l := range slices.Backward(c.locals) {
		if l.name == name {
			return c.slotPath(l.slot, l.kind, rest)
		}
	}
	if f, ok := fieldOfVariable(name); ok {
		return c.field(f, rest)
	}
	return noKind, false
}

func (c *compiler) path(ident []string) (kind, bool) {
	if c.dot >= 0 {
		return c.slotPath(c.dot, c.dotKind, ident)
	}
	return c.rootPath(ident)
}

func (c *compiler) rootPath(ident []string) (kind, bool) {
	if f, ok := fieldOfPath(ident[0]); ok {
		return c.field(f, ident[1:])
	}
	return noKind, false
}

func (c *compiler) slotPath(slot int, k kind, rest []string) (kind, bool) {
	if k == labelsKind && len(rest) == 1 {
		return c.push(op{code: opPushLabel, text: rest[0]}, stringKind)
	}
	if _, ok := c.push(op{code: opPushSlot, to: int32(slot)}, k); !ok {
		return noKind, false
	}
	return c.method(k, rest)
}

// field translates a field of the alert and what follows it.
func (c *compiler) field(f field, rest []string) (kind, bool) {
	switch {
	case f == externalURLField && len(rest) == 0:
		return c.pushConst(textValue(c.core.externalURL))
	case f == externalLabelsField && len(rest) == 1:
		return c.pushConst(textValue(c.core.externalLabels[rest[0]]))
	case f == externalLabelsField && len(rest) == 0:
		return noKind, false
	case f == labelsField && len(rest) == 1:
		return c.push(op{code: opPushLabel, text: rest[0]}, stringKind)
	}
	k := variables[f].kind
	if _, ok := c.push(op{code: opPushField, arg: uint8(f)}, k); !ok {
		return noKind, false
	}
	return c.method(k, rest)
}

// method translates what follows a value on the stack: nothing or a method.
func (c *compiler) method(k kind, rest []string) (kind, bool) {
	if len(rest) == 0 {
		return k, true
	}
	for _, m := range methods {
		if len(rest) == 1 && m.of == k && m.name == rest[0] {
			c.emit(op{code: opMethod, arg: uint8(m.method)})
			return m.result, true
		}
	}
	return noKind, false
}

// function translates a call.
func (c *compiler) function(name string, args []parse.Node, piped kind) (kind, bool) {
	switch name {
	case "externalURL", "pathPrefix":
		if len(args) > 0 || piped != noKind {
			return noKind, false
		}
		if name == "externalURL" {
			return c.pushConst(textValue(c.core.externalURL))
		}
		return c.pushConst(textValue(c.core.pathPrefix))
	case "len":
		return c.length(args, piped)
	case "index":
		return c.index(args, piped)
	}
	at, ok := callable[name]
	if !ok {
		return noKind, false
	}
	kinds := make([]kind, 0, len(args)+1)
	for _, a := range args {
		k, ok := c.operand(a)
		if !ok {
			return noKind, false
		}
		kinds = append(kinds, k)
	}
	if piped != noKind {
		kinds = append(kinds, piped)
	}
	f := &callableList[at]
	result, ok := f.resultFor(kinds)
	if !ok {
		return noKind, false
	}
	c.depth -= len(kinds)
	o := op{code: opCall, arg: at, count: uint8(len(kinds)), piped: piped != noKind}
	return c.push(o, result)
}

// resultFor returns the kind of f's result, or false if f does not take
// arguments of these kinds.
func (f *function) resultFor(args []kind) (kind, bool) {
	if len(args) < len(f.params) && !(f.variadic && len(args) == len(f.params)-1) ||
		len(args) > len(f.params) && !f.variadic || len(args) == 0 {
		return noKind, false
	}
	alike := true
	for i, k := range args {
		if !f.params[min(i, len(f.params)-1)].has(k) {
			return noKind, false
		}
		alike = alike && k == args[0]
	}
	switch {
	case f.alike && (!alike || len(args) < 2):
		return noKind, false
	case f.result == truthKind && alike:
		return args[0], true
	}
	return f.result, true
}

// length translates len of the labels.
func (c *compiler) length(args []parse.Node, piped kind) (kind, bool) {
	if len(args) != 1 || piped != noKind || !c.isLabels(args[0]) {
		return noKind, false
	}
	return c.push(op{code: opPushLength}, intKind)
}

// index translates the look-up of a label by a name that need not be constant.
func (c *compiler) index(args []parse.Node, piped kind) (kind, bool) {
	if len(args) != 2 || piped != noKind || !c.isLabels(args[0]) {
		return noKind, false
	}
	if k, ok := c.operand(args[1]); !ok || k != stringKind {
		return noKind, false
	}
	c.depth--
	return c.push(op{code: opIndexLabel}, stringKind)
}

// isLabels reports whether an argument is the labels of the alert.
func (c *compiler) isLabels(n parse.Node) bool {
	probe := compiler{core: c.core, dot: c.dot, dotKind: c.dotKind, locals: c.locals, depth: c.depth}
	k, ok := probe.operand(n)
	return ok && k == labelsKind
}
