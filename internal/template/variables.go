package template

import "strings"

// kind is the type of a value as templates see it.
type kind uint8

const (
	noKind       kind = iota
	stringKind        // string
	floatKind         // float64
	intKind           // int, a constant of the text
	int64Kind         // int64, of a method
	uintKind          // uint64
	boolKind          // bool
	durationKind      // time.Duration
	timeKind          // time.Time: when the alert became active
	labelsKind        // map[string]string: the labels of the alert
	truthKind         // true or false, but of a type known only at run time
)

// field is one datum of an alert that templates may use.
type field uint8

const (
	labelsField field = iota
	valueField
	typeField
	exprField
	intervalField
	externalLabelsField
	externalURLField
	alertIDField
	groupIDField
	activeAtField
	forField
	partialField
	fieldCount
)

// variable is how a field is written: $name or .Name.
type variable struct {
	name string // after the dollar sign
	path string // after the dot
	kind kind   // noKind for what has no operations
}

// variables are indexed by field.
var variables = [fieldCount]variable{
	labelsField:         {"labels", "Labels", labelsKind},
	valueField:          {"value", "Value", floatKind},
	typeField:           {"type", "Type", stringKind},
	exprField:           {"expr", "Expr", stringKind},
	intervalField:       {"interval", "Interval", durationKind},
	externalLabelsField: {"externalLabels", "ExternalLabels", noKind},
	externalURLField:    {"externalURL", "ExternalURL", stringKind},
	alertIDField:        {"alertID", "AlertID", uintKind},
	groupIDField:        {"groupID", "GroupID", uintKind},
	activeAtField:       {"activeAt", "ActiveAt", timeKind},
	forField:            {"for", "For", durationKind},
	partialField:        {"isPartial", "IsPartial", boolKind},
}

// fieldOfVariable returns the field of a variable, given with its dollar sign.
func fieldOfVariable(name string) (field, bool) {
	for f, v := range variables {
		if len(name) == len(v.name)+1 && name[1:] == v.name {
			return field(f), true
		}
	}
	return 0, false
}

// fieldOfPath returns the field that .name stands for.
func fieldOfPath(name string) (field, bool) {
	for f, v := range variables {
		if v.path == name {
			return field(f), true
		}
	}
	return 0, false
}

// header returns the declarations of the variables that text may use. It has no
// line break, so lines of the text keep their number.
func header(text string) string {
	var b strings.Builder
	for _, v := range variables {
		if strings.Contains(text, "$"+v.name) {
			b.WriteString("{{$" + v.name + ":=." + v.path + "}}")
		}
	}
	return b.String()
}
