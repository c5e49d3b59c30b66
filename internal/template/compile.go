package template

import (
	"slices"
	"strings"
	"text/template/parse"
)

// hasAction reports whether a text is a template at all. As in vmalert, one with
// nothing that closes an action, such as "{{ $value }", is not.
func hasAction(text string) bool {
	_, rest, found := strings.Cut(text, "{{")
	return found && strings.Contains(rest, "}}")
}

// compile makes operations of a text. It returns false, leaving the program
// without any, when the text needs what operations cannot do: it is then
// text/template's.
func (p *program) compile(c *core, t *parsed) bool {
	co := compiler{core: c, dot: -1}
	if !co.nodes(t.body()) {
		return false
	}
	p.fast = true
	p.ops = slices.Clip(slices.Clone(co.ops))
	p.consts = slices.Clone(co.consts)
	p.depth = uint8(co.deepest)
	return true
}

// compiler translates one tree. It knows the kind of every value, so what would
// fail by its type at run time is left to text/template, which words the error.
// Its methods return false for what they cannot translate.
type compiler struct {
	core   *core
	ops    []op
	consts []operand

	depth   int // slots in use after ops
	deepest int
	barrier int // operations before this one are jumped over; they must not be joined with later ones

	dot     int  // slot of ".", or -1 for the data of the alert
	dotKind kind // of the slot
	locals  []local
}

// local is a variable the text declares.
type local struct {
	name string // with the dollar sign
	slot int
	kind kind
}

func (c *compiler) nodes(nodes []parse.Node) bool {
	scope, depth := len(c.locals), c.depth
	for _, n := range nodes {
		if !c.node(n) {
			return false
		}
	}
	for c.depth > depth {
		c.emit(op{code: opPop})
		c.depth--
	}
	c.locals = c.locals[:scope]
	return true
}

func (c *compiler) list(l *parse.ListNode) bool { return l == nil || c.nodes(l.Nodes) }

func (c *compiler) node(n parse.Node) bool {
	switch n := n.(type) {
	case *parse.TextNode:
		c.text(string(n.Text))
		return true
	case *parse.ActionNode:
		return c.action(n.Pipe)
	case *parse.IfNode:
		return c.branch(&n.BranchNode, opJumpFalse)
	case *parse.WithNode:
		return c.branch(&n.BranchNode, opJumpFalsePeek)
	}
	return false
}

func (c *compiler) action(p *parse.PipeNode) bool {
	if len(p.Decl) > 1 || p.IsAssign {
		return false
	}
	k, ok := c.pipe(p)
	if !ok || k == truthKind {
		return false
	}
	if len(p.Decl) == 1 {
		// The value stays on the stack until the end of the scope.
		c.locals = append(c.locals, local{p.Decl[0].Ident[0], c.depth - 1, k})
		return true
	}
	c.emitTop()
	return true
}

// emitTop appends the value on the stack to the output, joined with the
// operation that pushes it where that can be.
func (c *compiler) emitTop() {
	c.depth--
	last := len(c.ops) - 1
	if last < c.barrier {
		c.emit(op{code: opEmit})
		return
	}
	switch o := &c.ops[last]; o.code {
	case opPushLabel:
		o.code = opEmitLabel
	case opPushField:
		o.code = opEmitField
	case opCall:
		o.code = opEmitCall
	case opPushConst:
		v := c.consts[o.to]
		c.ops = c.ops[:last]
		// A constant has no more to it than its text.
		c.text(string(new(machine).appendValue(nil, v)))
	default:
		c.emit(op{code: opEmit})
	}
}

// branch translates if and with. With keeps its value as the dot of its list.
func (c *compiler) branch(n *parse.BranchNode, jump opcode) bool {
	k, ok := c.pipe(n.Pipe)
	if !ok || len(n.Pipe.Decl) > 0 {
		return false
	}
	keep := jump == opJumpFalsePeek
	if keep && k == truthKind {
		return false
	}
	test := c.emit(op{code: jump})
	if !keep {
		c.depth--
	}
	if !c.branchList(n.List, keep, k) {
		return false
	}
	if n.ElseList == nil {
		c.land(test)
		return true
	}
	end := c.emit(op{code: opJump})
	c.land(test)
	if !c.list(n.ElseList) {
		return false
	}
	c.land(end)
	return true
}

// branchList translates the list of a condition that holds.
func (c *compiler) branchList(l *parse.ListNode, keep bool, k kind) bool {
	c.barrier = len(c.ops)
	dot, dotKind := c.dot, c.dotKind
	if keep {
		c.dot, c.dotKind = c.depth-1, k
	}
	ok := c.list(l)
	c.dot, c.dotKind = dot, dotKind
	if keep {
		c.emit(op{code: opPop})
		c.depth--
	}
	return ok
}

// land makes the jump at an index lead to the next operation.
func (c *compiler) land(jump int) {
	c.ops[jump].to = int32(len(c.ops))
	c.barrier = len(c.ops)
}

func (c *compiler) emit(o op) int {
	c.ops = append(c.ops, o)
	return len(c.ops) - 1
}

func (c *compiler) text(s string) {
	if s == "" {
		return
	}
	if last := len(c.ops) - 1; last >= c.barrier && c.ops[last].code == opText {
		c.ops[last].text += s
		return
	}
	c.emit(op{code: opText, text: s})
}

// push emits an operation that leaves one more value on the stack.
func (c *compiler) push(o op, k kind) (kind, bool) {
	c.emit(o)
	c.depth++
	c.deepest = max(c.deepest, c.depth)
	return k, c.depth <= maxStack
}

func (c *compiler) pushConst(v operand) (kind, bool) {
	at := slices.Index(c.consts, v)
	if at < 0 {
		at = len(c.consts)
		c.consts = append(c.consts, v)
	}
	return c.push(op{code: opPushConst, to: int32(at)}, v.kind)
}
