package template

import (
	"math"
	"strconv"
	"time"

	"tocsin/rules"
)

type opcode uint8

const (
	opText          opcode = iota // append text
	opEmitLabel                   // append the label named text
	opEmitField                   // append the field arg
	opEmit                        // pop and append
	opEmitCall                    // call, appending the result
	opPushConst                   // push consts[to]
	opPushLabel                   // push the label named text
	opPushField                   // push the field arg
	opPushSlot                    // push a copy of stack[to]
	opPushLength                  // push the number of labels
	opIndexLabel                  // replace a name by the label's value
	opCall                        // call, pushing the result
	opMethod                      // replace the value by what its method arg returns
	opJump                        // go on at to
	opJumpFalse                   // pop; go on at to if it was not true
	opJumpFalsePeek               // go on at to, popping, if the top is not true; else keep it
	opPop                         // drop the top
)

// op is one operation of a program.
type op struct {
	code  opcode
	arg   uint8 // field, function or method
	count uint8 // arguments of a call
	piped bool  // the last argument of a call was pushed first
	to    int32 // operation to go to, constant or slot
	text  string
}

// operand is a value on the stack. Times and label sets have no payload: a text
// has only one of each.
type operand struct {
	kind kind
	text string
	bits uint64 // of a float, int, uint, bool or duration
}

func textValue(s string) operand            { return operand{kind: stringKind, text: s} }
func floatValue(v float64) operand          { return operand{kind: floatKind, bits: math.Float64bits(v)} }
func intValue(v int) operand                { return operand{kind: intKind, bits: uint64(v)} }
func int64Value(v int64) operand            { return operand{kind: int64Kind, bits: uint64(v)} }
func uintValue(v uint64) operand            { return operand{kind: uintKind, bits: v} }
func durationValue(v time.Duration) operand { return operand{kind: durationKind, bits: uint64(v)} }

func boolValue(v bool) operand {
	if v {
		return operand{kind: boolKind, bits: 1}
	}
	return operand{kind: boolKind}
}

func (v operand) float() float64          { return math.Float64frombits(v.bits) }
func (v operand) int() int                { return int(v.bits) }
func (v operand) bool() bool              { return v.bits != 0 }
func (v operand) duration() time.Duration { return time.Duration(v.bits) }

// maxStack is the most slots a program may need; texts that need more are
// executed by text/template.
const maxStack = 16

// machine runs programs. It is taken from a pool for one alert and goes back
// without anything of it.
type machine struct {
	core *core
	out  []byte

	data  *rules.TemplateData
	stack [maxStack]operand
	top   int
	names []string // of labels, while they are printed
}

// maxKeptBuffer is the most a pooled machine may hold on to.
const maxKeptBuffer = 64 << 10

// takeMachine returns a machine with nothing in m.out. It must be released.
func takeMachine(c *core) *machine {
	if m, ok := c.machines.Get().(*machine); ok {
		return m
	}
	return &machine{core: c}
}

func (m *machine) release() {
	if cap(m.out) > maxKeptBuffer {
		m.out = nil
	}
	m.out = m.out[:0]
	clear(m.names[:cap(m.names)])
	m.core.machines.Put(m)
}

// run appends the program's value to m.out. It returns false when a function
// fails, leaving in m.out what was appended so far.
func (m *machine) run(p *program, d *rules.TemplateData) bool {
	m.data, m.top = d, 0
	ok := true
	for at := 0; ok && at < len(p.ops); at++ {
		o := &p.ops[at]
		switch o.code {
		case opText:
			m.out = append(m.out, o.text...)
		case opEmitLabel:
			m.out = append(m.out, d.Labels.Get(o.text)...)
		case opEmitField:
			m.out = m.appendValue(m.out, m.field(field(o.arg)))
		case opEmit:
			m.out = m.appendValue(m.out, m.pop())
		case opEmitCall:
			ok = m.emitCall(o)
		case opJump:
			at = int(o.to) - 1
		case opJumpFalse:
			if !m.truth(m.pop()) {
				at = int(o.to) - 1
			}
		case opJumpFalsePeek:
			if !m.truth(m.stack[m.top-1]) {
				m.top--
				at = int(o.to) - 1
			}
		case opPop:
			m.top--
		default:
			ok = m.push(p, o)
		}
	}
	clear(m.stack[:p.depth])
	m.data = nil
	return ok
}

// push runs the operations that leave a value on the stack.
func (m *machine) push(p *program, o *op) bool {
	var v operand
	ok := true
	switch o.code {
	case opPushConst:
		v = p.consts[o.to]
	case opPushLabel:
		v = textValue(m.data.Labels.Get(o.text))
	case opPushField:
		v = m.field(field(o.arg))
	case opPushSlot:
		v = m.stack[o.to]
	case opPushLength:
		v = intValue(len(m.labelNames()))
	case opIndexLabel:
		v = textValue(m.data.Labels.Get(m.pop().text))
	case opMethod:
		v = m.method(method(o.arg), m.pop())
	case opCall:
		v, ok = m.call(o)
	}
	m.stack[m.top] = v
	m.top++
	return ok
}

func (m *machine) pop() operand {
	m.top--
	return m.stack[m.top]
}

// field returns a field of the alert. The fields that are constant for an
// engine are constants of its programs.
func (m *machine) field(f field) operand {
	d := m.data
	switch f {
	case labelsField:
		return operand{kind: labelsKind}
	case valueField:
		return floatValue(d.Value)
	case typeField:
		return textValue(string(d.Type))
	case exprField:
		return textValue(d.Expr)
	case intervalField:
		return durationValue(d.Interval)
	case alertIDField:
		return uintValue(d.AlertID)
	case groupIDField:
		return uintValue(d.GroupID)
	case activeAtField:
		return operand{kind: timeKind}
	case forField:
		return durationValue(d.For)
	case partialField:
		return boolValue(d.Partial)
	}
	panic("template: internal error: field without operation")
}

// appendValue appends v as text/template prints it.
func (m *machine) appendValue(dst []byte, v operand) []byte {
	switch v.kind {
	case stringKind:
		return append(dst, v.text...)
	case floatKind:
		return strconv.AppendFloat(dst, v.float(), 'g', -1, 64)
	case intKind, int64Kind:
		return strconv.AppendInt(dst, int64(v.bits), 10)
	case uintKind:
		return strconv.AppendUint(dst, v.bits, 10)
	case boolKind:
		return strconv.AppendBool(dst, v.bool())
	case durationKind:
		return append(dst, v.duration().String()...)
	case timeKind:
		return append(dst, m.data.ActiveAt.String()...)
	case labelsKind:
		return m.appendLabels(dst)
	}
	panic("template: internal error: value without text")
}

// truth reports whether text/template takes v for true.
func (m *machine) truth(v operand) bool {
	switch v.kind {
	case stringKind:
		return v.text != ""
	case floatKind:
		return v.float() != 0
	case timeKind:
		return true
	case labelsKind:
		return len(m.labelNames()) > 0
	}
	return v.bits != 0
}

// any returns v as text/template passes it to functions.
func (m *machine) any(v operand) any {
	switch v.kind {
	case stringKind:
		return v.text
	case floatKind:
		return v.float()
	case intKind:
		return v.int()
	case int64Kind:
		return int64(v.bits)
	case uintKind:
		return v.bits
	case boolKind:
		return v.bool()
	case durationKind:
		return v.duration()
	case timeKind:
		return m.data.ActiveAt
	case labelsKind:
		return m.data.Labels.Map()
	}
	panic("template: internal error: value of no kind")
}
