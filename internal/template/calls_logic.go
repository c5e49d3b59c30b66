package template

// logicFunctions are the comparisons and connectives of text/template.
func logicFunctions() []function {
	fs := []function{
		{
			name: "not", params: []kinds{truthKinds}, result: boolKind,
			eval: func(m *machine, args []operand) (operand, bool) {
				return boolValue(!m.truth(args[0])), true
			},
		},
		connective("and", false),
		connective("or", true),
		{
			name: "eq", params: []kinds{comparedKinds, comparedKinds}, variadic: true, alike: true, result: boolKind,
			eval: func(_ *machine, args []operand) (operand, bool) {
				for _, a := range args[1:] {
					if same(args[0], a) {
						return boolValue(true), true
					}
				}
				return boolValue(false), true
			},
		},
		comparison("ne", comparedKinds, func(a, b operand) bool { return !same(a, b) }),
	}
	// text/template derives these from "less" and "equal", which shows with NaN.
	return append(fs,
		comparison("lt", orderedKinds, less),
		comparison("le", orderedKinds, func(a, b operand) bool { return less(a, b) || same(a, b) }),
		comparison("gt", orderedKinds, func(a, b operand) bool { return !less(a, b) && !same(a, b) }),
		comparison("ge", orderedKinds, func(a, b operand) bool { return !less(a, b) }),
	)
}

func comparison(name string, of kinds, holds func(a, b operand) bool) function {
	return function{
		name: name, params: []kinds{of, of}, alike: true, result: boolKind,
		eval: func(_ *machine, args []operand) (operand, bool) {
			return boolValue(holds(args[0], args[1])), true
		},
	}
}

// connective returns the first argument whose truth is the given one, else the
// last. The result has the kind of the arguments if that is one; the compiler
// takes it for a mere truth otherwise.
func connective(name string, stop bool) function {
	return function{
		name: name, params: []kinds{truthKinds}, variadic: true, result: truthKind,
		eval: func(m *machine, args []operand) (operand, bool) {
			for _, a := range args {
				if m.truth(a) == stop {
					return a, true
				}
			}
			return args[len(args)-1], true
		},
	}
}

// same reports whether operands of one kind are equal.
func same(a, b operand) bool {
	switch a.kind {
	case stringKind:
		return a.text == b.text
	case floatKind:
		return a.float() == b.float()
	}
	return a.bits == b.bits
}

// less reports whether a comes before b, of the same kind.
func less(a, b operand) bool {
	switch a.kind {
	case stringKind:
		return a.text < b.text
	case floatKind:
		return a.float() < b.float()
	case intKind:
		return a.int() < b.int()
	}
	return a.bits < b.bits
}
