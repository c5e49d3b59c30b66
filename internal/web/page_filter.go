package web

import (
	"net/url"
	"slices"
	"strconv"

	"tocsin/rules"
)

// filterForm is what narrows a list, as the form above it shows it.
type filterForm struct {
	Hint          string // what the search looks at
	Search, State string
	States        []string
	Kind          string
	Kinds         []string // to choose from; nil where the list has one kind
	Others        []narrowing
}

// Narrows reports whether anything is left out of the list.
func (f filterForm) Narrows() bool {
	return f.Search != "" || f.State != "" || f.Kind != "" || len(f.Others) > 0
}

// narrowing is a parameter of the address for which the form has no field. It is
// shown beside the form, and kept when the form is sent.
type narrowing struct {
	Name, Value string
	What, Shown string // for people
	Without     string // the query that asks the same but this
}

// narrowings are the parameters that may narrow a list without a field in its
// form, with their names for people, in the order in which they are shown.
var narrowings = [...]struct{ name, what string }{
	{"group_id", "group"},
	{"rule_group[]", "group"}, {"rule_group", "group"},
	{"rule_name[]", "rule"}, {"rule_name", "rule"},
	{"file[]", "file"}, {"file", "file"},
	{"datasource_type", "query language"},
	{"match[]", "labels"},
}

// filterForm returns the form of a list of groups or alerts.
func (q pageRequest) filterForm(hint string, states, kinds []string) filterForm {
	f := filterForm{
		Hint: hint, Search: q.form.Get("search"), State: q.form.Get("state"), States: states, Kinds: kinds,
	}
	if f.State == "" {
		f.State = q.form.Get("filter")
	}
	if f.State != "" && !slices.Contains(states, f.State) {
		f.States = append([]string{f.State}, states...) // several, or Grafana's names
	}
	if kinds != nil {
		f.Kind = q.form.Get("type")
	}
	for _, n := range narrowings {
		for i, value := range q.form[n.name] {
			if value != "" {
				f.Others = append(f.Others, narrowing{n.name, value, n.what, value, q.without(n.name, i)})
			}
		}
	}
	return f
}

// name shows groups by their names instead of by their ids.
func (f *filterForm) name(groups []*rules.Snapshot) {
	for i := range f.Others {
		o := &f.Others[i]
		if o.Name != "group_id" {
			continue
		}
		at := slices.IndexFunc(groups, func(s *rules.Snapshot) bool { return strconv.FormatUint(s.ID, 10) == o.Value })
		if at >= 0 {
			o.Shown = groups[at].Group.Key.Name
		}
	}
}

// query returns what the request asks, as the query of a link, after change. The
// page number is left out, as it belongs to another list then.
func (q pageRequest) query(change func(url.Values)) string {
	v := url.Values{}
	for name, values := range q.form {
		if name != "authKey" && name != "page_num" {
			v[name] = slices.Clone(values)
		}
	}
	change(v)
	return "?" + v.Encode()
}

// without returns the query with the i-th value of a parameter left out.
func (q pageRequest) without(name string, i int) string {
	return q.query(func(v url.Values) {
		if v[name] = slices.Delete(v[name], i, i+1); len(v[name]) == 0 {
			v.Del(name)
		}
	})
}

func (q pageRequest) withPage(n int) string {
	return q.query(func(v url.Values) { v.Set("page_num", itoa(n)) })
}
