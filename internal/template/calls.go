package template

import (
	"fmt"
	"slices"
	"strconv"
	gotemplate "text/template"
	"time"
)

// kinds is a set of kinds.
type kinds uint16

func kindSet(ks ...kind) kinds {
	var s kinds
	for _, k := range ks {
		s |= 1 << k
	}
	return s
}

func (s kinds) has(k kind) bool { return s&(1<<k) != 0 }

var (
	textKinds     = kindSet(stringKind)
	numberKinds   = kindSet(stringKind, floatKind, intKind, int64Kind, uintKind, durationKind)
	printedKinds  = numberKinds | kindSet(boolKind, timeKind, labelsKind)
	truthKinds    = printedKinds | kindSet(truthKind)
	orderedKinds  = kindSet(stringKind, floatKind, intKind, uintKind)
	comparedKinds = orderedKinds | kindSet(boolKind)
)

// function is one that programs can call. Exactly one of append and eval is
// set. Both return false when the call fails; text/template then finds the
// error.
type function struct {
	name     string
	params   []kinds // of the arguments; the last is repeated if variadic
	variadic bool
	alike    bool // the arguments must be of one kind
	result   kind // stringKind if append is set
	append   func(m *machine, dst []byte, args []operand) ([]byte, bool)
	eval     func(m *machine, args []operand) (operand, bool)
}

// callable are the functions of programs, by name; op.arg is an index of
// callableList.
var callableList, callable = buildCallable()

func buildCallable() ([]function, map[string]uint8) {
	list := slices.Concat(printFunctions(), logicFunctions(), patternFunctions())
	for name, f := range textFunctions {
		list = append(list, textFunction(name, f))
	}
	list = append(list, textFunction("urlquery", func(s string) string { return gotemplate.URLQueryEscaper(s) }))
	for name, f := range numberFunctions {
		list = append(list, function{
			name: name, params: []kinds{numberKinds}, result: stringKind,
			append: func(_ *machine, dst []byte, args []operand) ([]byte, bool) {
				v, ok := number(args[0])
				if !ok {
					return dst, false
				}
				dst, err := f(dst, v)
				return dst, err == nil
			},
		})
	}
	slices.SortFunc(list, func(a, b function) int {
		if a.name < b.name {
			return -1
		}
		return 1
	})
	index := make(map[string]uint8, len(list))
	for i, f := range list {
		index[f.name] = uint8(i)
	}
	return list, index
}

func textFunction(name string, f func(string) string) function {
	return function{
		name: name, params: []kinds{textKinds}, result: stringKind,
		append: func(_ *machine, dst []byte, args []operand) ([]byte, bool) {
			return append(dst, f(args[0].text)...), true
		},
	}
}

// number does for operands what toNumber does for values.
func number(v operand) (float64, bool) {
	switch v.kind {
	case floatKind:
		return v.float(), true
	case intKind, int64Kind:
		return float64(int64(v.bits)), true
	case uintKind:
		return float64(v.bits), true
	case durationKind:
		return v.duration().Seconds(), true
	case stringKind:
		n, err := strconv.ParseFloat(v.text, 64)
		return n, err == nil
	}
	return 0, false
}

func printFunctions() []function {
	return []function{
		{
			name: "printf", params: []kinds{textKinds, printedKinds}, variadic: true, result: stringKind,
			append: func(m *machine, dst []byte, args []operand) ([]byte, bool) {
				return m.appendFormat(dst, args[0].text, args[1:]), true
			},
		},
		{
			name: "print", params: []kinds{printedKinds}, variadic: true, result: stringKind,
			append: func(m *machine, dst []byte, args []operand) ([]byte, bool) {
				return fmt.Append(dst, m.anys(args)...), true
			},
		},
	}
}

// appendFormat is printf. The commonest formats need no reflection.
func (m *machine) appendFormat(dst []byte, format string, args []operand) []byte {
	if len(args) == 1 && args[0].kind == floatKind {
		if before, verb, precision, after, ok := floatVerb(format); ok {
			dst = append(dst, before...)
			dst = strconv.AppendFloat(dst, args[0].float(), verb, precision, 64)
			return append(dst, after...)
		}
	}
	return fmt.Appendf(dst, format, m.anys(args)...)
}

// floatVerb splits a format whose only verb is like %.2f.
func floatVerb(format string) (before string, verb byte, precision int, after string, ok bool) {
	for i := 0; i+3 < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		digit, verb := format[i+2], format[i+3]
		if format[i+1] != '.' || digit < '0' || digit > '9' || verb != 'f' && verb != 'g' && verb != 'e' {
			return "", 0, 0, "", false
		}
		after = format[i+4:]
		for j := range len(after) {
			if after[j] == '%' {
				return "", 0, 0, "", false
			}
		}
		return format[:i], verb, int(digit - '0'), after, true
	}
	return "", 0, 0, "", false
}

func (m *machine) anys(args []operand) []any {
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = m.any(a)
	}
	return values
}

func patternFunctions() []function {
	return []function{
		{
			name: "match", params: []kinds{textKinds, textKinds}, result: boolKind,
			eval: func(m *machine, args []operand) (operand, bool) {
				matches, err := m.core.match(args[0].text, args[1].text)
				return boolValue(matches), err == nil
			},
		},
		{
			name: "reReplaceAll", params: []kinds{textKinds, textKinds, textKinds}, result: stringKind,
			append: func(m *machine, dst []byte, args []operand) ([]byte, bool) {
				s, err := m.core.replaceAll(args[0].text, args[1].text, args[2].text)
				return append(dst, s...), err == nil
			},
		},
		{
			name: "parseDuration", params: []kinds{textKinds}, result: floatKind,
			eval: func(_ *machine, args []operand) (operand, bool) {
				v, err := parseSeconds(args[0].text)
				return floatValue(v), err == nil
			},
		},
	}
}

// call pops the arguments of o and returns the result.
func (m *machine) call(o *op) (operand, bool) {
	f := &callableList[o.arg]
	args := m.args(o)
	if f.eval != nil {
		return f.eval(m, args)
	}
	var room [64]byte
	b, ok := f.append(m, room[:0], args)
	return textValue(string(b)), ok
}

// emitCall pops the arguments of o and appends the result.
func (m *machine) emitCall(o *op) bool {
	f := &callableList[o.arg]
	args := m.args(o)
	if f.append == nil {
		v, ok := f.eval(m, args)
		if ok {
			m.out = m.appendValue(m.out, v)
		}
		return ok
	}
	var ok bool
	m.out, ok = f.append(m, m.out, args)
	return ok
}

// args pops the arguments of a call, in the order of its parameters.
func (m *machine) args(o *op) []operand {
	n := int(o.count)
	m.top -= n
	args := m.stack[m.top : m.top+n]
	if o.piped && n > 1 {
		last := args[0]
		copy(args, args[1:])
		args[n-1] = last
	}
	return args
}

// method is a method of a time or a duration that programs can call.
type method uint8

const (
	unixMethod method = iota
	unixMilliMethod
	secondsMethod
)

// methods are those that need no argument, by the kind they belong to.
var methods = []struct {
	of     kind
	name   string
	method method
	result kind
}{
	{timeKind, "Unix", unixMethod, int64Kind},
	{timeKind, "UnixMilli", unixMilliMethod, int64Kind},
	{durationKind, "Seconds", secondsMethod, floatKind},
}

func (m *machine) method(which method, v operand) operand {
	switch which {
	case unixMethod:
		return int64Value(m.data.ActiveAt.Unix())
	case unixMilliMethod:
		return int64Value(m.data.ActiveAt.UnixMilli())
	}
	return floatValue(time.Duration(v.bits).Seconds())
}
