package config

import (
	"reflect"
	"testing"
)

// Whatever is added to a group or a rule, a change of it must be noticed at the
// next reload. Only the line at which it is written does not count.
func TestGroupsThatDifferInAnythingAreNotEqual(t *testing.T) {
	one := func() Group {
		return Group{Key: Key{"f.yml", "g"}, Rules: []Rule{{Name: "A", Expr: "up == 0"}}}
	}
	original := one()
	if same := one(); !original.Equal(&same) {
		t.Fatal("a group does not equal its like")
	}
	check := func(path string, change func(g *Group) reflect.Value) {
		g := one()
		alter(t, path, change(&g))
		if equal := original.Equal(&g); equal != (path == "Group.Line" || path == "Rule.Line") {
			t.Errorf("another %s: equal is %t", path, equal)
		}
	}
	for f := range reflect.TypeFor[Group]().Fields() {
		check("Group."+f.Name, func(g *Group) reflect.Value { return reflect.ValueOf(g).Elem().FieldByIndex(f.Index) })
	}
	for f := range reflect.TypeFor[Rule]().Fields() {
		check("Rule."+f.Name, func(g *Group) reflect.Value { return reflect.ValueOf(&g.Rules[0]).Elem().FieldByIndex(f.Index) })
	}
}

// alter gives v another value.
func alter(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Uint8:
		v.SetUint(v.Uint() + 1)
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Struct:
		alter(t, path, v.Field(0))
	case reflect.Slice:
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("a"), reflect.ValueOf([]string{"b"}))
	default:
		t.Fatalf("%s is a %s, which this test does not know how to change", path, v.Kind())
	}
}

func TestOrderOfRulesIsPartOfAGroup(t *testing.T) {
	a, b := Rule{Name: "A", Expr: "up"}, Rule{Name: "B", Expr: "up"}
	one, other := Group{Rules: []Rule{a, b}}, Group{Rules: []Rule{b, a}}
	if one.Equal(&other) {
		t.Error("groups with their rules in another order are equal")
	}
}
