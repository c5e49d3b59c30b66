package web

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// element is one element of a page as a browser reads it.
type element struct {
	name  string
	attrs map[string]string
	text  string // up to the next tag
}

func (e *element) is(class string) bool {
	return slices.Contains(strings.Fields(e.attrs["class"]), class)
}

// elements reads a page.
func elements(t testing.TB, page string) []element {
	t.Helper()
	var list []element
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return list
		case html.TextToken:
			if len(list) > 0 && list[len(list)-1].text == "" {
				list[len(list)-1].text = strings.TrimSpace(string(z.Text()))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			token := z.Token()
			e := element{name: token.Data, attrs: map[string]string{}}
			for _, a := range token.Attr {
				if _, twice := e.attrs[a.Key]; twice {
					t.Errorf("<%s> has %s twice", e.name, a.Key)
				}
				e.attrs[a.Key] = a.Val
			}
			list = append(list, e)
		}
	}
}

// linking are the attributes that hold addresses.
var linking = []string{"href", "src", "action", "formaction", "data", "poster", "srcset", "background"}

// wantSafe checks what the content policy of pages promises: nothing inline, no
// foreign content, no scheme that runs something.
func wantSafe(t testing.TB, where, page string) {
	t.Helper()
	for _, e := range elements(t, page) {
		for name, value := range e.attrs {
			if name == "style" || strings.HasPrefix(name, "on") {
				t.Errorf("%s: <%s> has %s=%q", where, e.name, name, value)
			}
			if slices.Contains(linking, name) {
				wantSafeAddress(t, where, &e, value)
			}
		}
		switch e.name {
		case "script":
			if !strings.Contains(e.attrs["src"], "static/page.js?v=") || e.text != "" {
				t.Errorf("%s: script %v %q", where, e.attrs, e.text)
			}
		case "style", "iframe", "object", "embed", "base", "img", "svg":
			t.Errorf("%s: the page has <%s>", where, e.name)
		}
	}
}

func wantSafeAddress(t testing.TB, where string, e *element, value string) {
	t.Helper()
	u, err := url.Parse(value)
	if err != nil {
		t.Errorf("%s: <%s> leads to %q: %s", where, e.name, value, err)
		return
	}
	own := u.Scheme == "" && u.Host == ""
	followed := e.name == "a" && (u.Scheme == "http" || u.Scheme == "https") && strings.Contains(e.attrs["rel"], "noopener")
	if !own && !followed {
		t.Errorf("%s: <%s> leads to %q", where, e.name, value)
	}
}

// wantReadable checks what those need who cannot see a page.
func wantReadable(t testing.TB, where, page string) {
	t.Helper()
	all := elements(t, page)
	count := map[string]int{}
	ids := map[string]bool{}
	for i, e := range all {
		count[e.name]++
		if id := e.attrs["id"]; id != "" {
			if ids[id] {
				t.Errorf("%s: two elements have the id %q", where, id)
			}
			ids[id] = true
		}
		labelled := i > 0 && all[i-1].name == "label" || e.attrs["type"] == "hidden"
		switch {
		case (e.name == "input" || e.name == "select") && !labelled:
			t.Errorf("%s: <%s name=%s> has no label", where, e.name, e.attrs["name"])
		case e.name == "nav" && e.attrs["aria-label"] == "":
			t.Errorf("%s: a <nav> has no name", where)
		case e.name == "td" && e.attrs["data-label"] == "":
			t.Errorf("%s: a cell does not tell its column on a phone", where)
		}
	}
	if count["h1"] != 1 || count["main"] != 1 || count["header"] != 1 || !ids["main"] {
		t.Errorf("%s: landmarks and headings are %v", where, count)
	}
	if all[0].attrs["lang"] == "" && all[1].attrs["lang"] == "" {
		t.Errorf("%s: the language is not told", where)
	}
}
