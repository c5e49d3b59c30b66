package relabel

import (
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
)

func text(s string) *string { return &s }

func mustCompile(t testing.TB, configs ...Config) *Rules {
	t.Helper()
	r, err := Compile(configs)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// dropped is the outcome of rules that leave nothing.
const dropped = "dropped"

// applied returns the outcome of rules for labels given as names and values.
func applied(t testing.TB, r *Rules, pairs ...string) string {
	t.Helper()
	out, kept := r.Apply(labels.FromStrings(pairs...))
	if !kept {
		if !out.IsEmpty() {
			t.Errorf("dropped, yet %s is returned", out)
		}
		return dropped
	}
	return out.String()
}

func TestActions(t *testing.T) {
	in := []string{"__name__", "cpu.host-1.user", "a", "one", "b", "two", "host", "web-1.example", "tags", ",prod,eu,"}
	const same = `{__name__="cpu.host-1.user", a="one", b="two", host="web-1.example", tags=",prod,eu,"}`
	with := func(change string) string { // same with one label changed, or a new one at its place
		name, _, _ := strings.Cut(change, "=")
		pairs := strings.Split(strings.Trim(same, "{}"), ", ")
		for i, p := range pairs {
			if strings.HasPrefix(p, name+"=") {
				pairs[i] = change
				return "{" + strings.Join(pairs, ", ") + "}"
			}
		}
		return "{" + strings.Join(append(pairs, change), ", ") + "}"
	}
	without := func(gone ...string) string {
		var left []string
		for _, p := range strings.Split(strings.Trim(same, "{}"), ", ") {
			name, _, _ := strings.Cut(p, "=")
			if !strings.Contains(" "+strings.Join(gone, " ")+" ", " "+name+" ") {
				left = append(left, p)
			}
		}
		return "{" + strings.Join(left, ", ") + "}"
	}
	ab := []string{"a", "b"}
	for name, c := range map[string]struct {
		rule Config
		want string
	}{
		"replace copies by default":                {Config{SourceLabels: ab, TargetLabel: "z"}, with(`z="one;two"`)},
		"replace with separator":                   {Config{SourceLabels: ab, Separator: text(""), TargetLabel: "z"}, with(`z="onetwo"`)},
		"replace sets a constant":                  {Config{TargetLabel: "z", Replacement: text("v")}, with(`z="v"`)},
		"replace is anchored":                      {Config{SourceLabels: []string{"a"}, Regex: text("n"), TargetLabel: "z", Replacement: text("v")}, same},
		"replace with groups":                      {Config{SourceLabels: []string{"host"}, Regex: text(`(\w+)-(\d+)\..*`), TargetLabel: "z", Replacement: text("${2}:$1")}, with(`z="1:web"`)},
		"replace with a named group":               {Config{SourceLabels: []string{"host"}, Regex: text(`(?P<kind>\w+)-.*`), TargetLabel: "z", Replacement: text("${kind}")}, with(`z="web"`)},
		"replace with a group of .* without one":   {Config{SourceLabels: []string{"a"}, Regex: text(".*"), TargetLabel: "z"}, with(`z="one"`)},
		"replace puts around what it reads":        {Config{SourceLabels: []string{"a"}, TargetLabel: "z", Replacement: text("<$1>")}, with(`z="<one>"`)},
		"replace of a label that is not there":     {Config{SourceLabels: []string{"none"}, TargetLabel: "z", Replacement: text("v$1")}, with(`z="v"`)},
		"replace with a group as the target":       {Config{SourceLabels: []string{"a"}, Regex: text("(.+)"), TargetLabel: "z_$1", Replacement: text("v")}, with(`z_one="v"`)},
		"replace by a label":                       {Config{TargetLabel: "z", Replacement: text("{{a}}-{{b}}!")}, with(`z="one-two!"`)},
		"replace by a label and a group":           {Config{SourceLabels: []string{"host"}, Regex: text(`(\w+).*`), TargetLabel: "z", Replacement: text("{{a}}/$1")}, with(`z="one/web"`)},
		"replace by a label that is not there":     {Config{TargetLabel: "z", Replacement: text("x{{none}}y")}, with(`z="xy"`)},
		"replace with braces that do not close":    {Config{TargetLabel: "z", Replacement: text("{{a}}{{b")}, with(`z="one{{b"`)},
		"replace by nothing removes":               {Config{TargetLabel: "a", Replacement: text("")}, without("a")},
		"replace by an absent label removes":       {Config{SourceLabels: []string{"none"}, TargetLabel: "a"}, without("a")},
		"replace of what does not match":           {Config{SourceLabels: []string{"none"}, Regex: text("(.+)"), TargetLabel: "a"}, same},
		"replace the metric name":                  {Config{TargetLabel: "__name__", Replacement: text("up")}, with(`__name__="up"`)},
		"action in capitals":                       {Config{Action: "Replace", SourceLabels: []string{"a"}, TargetLabel: "z"}, with(`z="one"`)},
		"replace_all":                              {Config{Action: "replace_all", SourceLabels: []string{"host"}, Regex: text("[-.]"), TargetLabel: "host", Replacement: text("_")}, with(`host="web_1_example"`)},
		"replace_all with groups":                  {Config{Action: "replace_all", SourceLabels: []string{"host"}, Regex: text(`(\d)`), TargetLabel: "z", Replacement: text("<$1>")}, with(`z="web-<1>.example"`)},
		"replace_all of what does not match":       {Config{Action: "replace_all", SourceLabels: []string{"host"}, Regex: text("_"), TargetLabel: "z", Replacement: text("x")}, same},
		"keep what matches":                        {Config{Action: "keep", SourceLabels: ab, Regex: text("one;.+")}, same},
		"keep drops the rest":                      {Config{Action: "keep", SourceLabels: ab, Regex: text("one")}, dropped},
		"keep without regex":                       {Config{Action: "keep", SourceLabels: []string{"none"}}, same},
		"keep if":                                  {Config{Action: "keep", If: []string{`{a="one"}`}}, same},
		"keep if not":                              {Config{Action: "keep", If: []string{`{a="two"}`}}, dropped},
		"keep if and regex":                        {Config{Action: "keep", If: []string{`{a="one"}`}, SourceLabels: []string{"b"}, Regex: text("x")}, dropped},
		"drop what matches":                        {Config{Action: "drop", SourceLabels: ab, Regex: text("one;.+")}, dropped},
		"drop keeps the rest":                      {Config{Action: "drop", SourceLabels: ab, Regex: text("one")}, same},
		"drop if":                                  {Config{Action: "drop", If: []string{`{a="one"}`}}, dropped},
		"drop if not":                              {Config{Action: "drop", If: []string{`{a="two"}`}}, same},
		"keep_metrics":                             {Config{Action: "keep_metrics", Regex: text(`cpu\..+|mem`)}, same},
		"keep_metrics drops the rest":              {Config{Action: "keep_metrics", Regex: text("mem")}, dropped},
		"keep_metrics if":                          {Config{Action: "keep_metrics", If: []string{`{a="two"}`}}, dropped},
		"drop_metrics":                             {Config{Action: "drop_metrics", Regex: text(`cpu\..+`)}, dropped},
		"drop_metrics keeps the rest":              {Config{Action: "drop_metrics", Regex: text("mem")}, same},
		"drop_metrics if":                          {Config{Action: "drop_metrics", If: []string{`{a="one"}`}}, dropped},
		"keepequal":                                {Config{Action: "keepequal", SourceLabels: []string{"a"}, TargetLabel: "a"}, same},
		"keepequal drops the rest":                 {Config{Action: "keepequal", SourceLabels: []string{"a"}, TargetLabel: "b"}, dropped},
		"keepequal of nothing":                     {Config{Action: "keepequal", TargetLabel: "none"}, same},
		"dropequal":                                {Config{Action: "dropequal", SourceLabels: []string{"a"}, TargetLabel: "a"}, dropped},
		"dropequal keeps the rest":                 {Config{Action: "dropequal", SourceLabels: ab, TargetLabel: "a"}, same},
		"keep_if_equal":                            {Config{Action: "keep_if_equal", SourceLabels: []string{"none", "nothing"}}, same},
		"keep_if_equal drops the rest":             {Config{Action: "keep_if_equal", SourceLabels: []string{"a", "a", "b"}}, dropped},
		"drop_if_equal":                            {Config{Action: "drop_if_equal", SourceLabels: []string{"a", "a"}}, dropped},
		"drop_if_equal keeps the rest":             {Config{Action: "drop_if_equal", SourceLabels: ab}, same},
		"keep_if_contains":                         {Config{Action: "keep_if_contains", TargetLabel: "host", SourceLabels: []string{"none"}}, same},
		"keep_if_contains drops the rest":          {Config{Action: "keep_if_contains", TargetLabel: "tags", SourceLabels: []string{"a"}}, dropped},
		"drop_if_contains":                         {Config{Action: "drop_if_contains", TargetLabel: "a", SourceLabels: []string{"a"}}, dropped},
		"drop_if_contains keeps the rest":          {Config{Action: "drop_if_contains", TargetLabel: "a", SourceLabels: ab}, same},
		"hashmod as VictoriaMetrics hashes":        {Config{Action: "hashmod", SourceLabels: ab, TargetLabel: "z", Modulus: 1000}, with(`z="923"`)},
		"uppercase":                                {Config{Action: "uppercase", SourceLabels: ab, TargetLabel: "z"}, with(`z="ONE;TWO"`)},
		"lowercase":                                {Config{Action: "lowercase", SourceLabels: ab, TargetLabel: "a"}, with(`a="one;two"`)},
		"labelmap":                                 {Config{Action: "labelmap", Regex: text("(a)"), Replacement: text("z_$1")}, with(`z_a="one"`)},
		"labelmap to a constant":                   {Config{Action: "labelmap", Regex: text("b"), Replacement: text("z")}, with(`z="two"`)},
		"labelmap without regex":                   {Config{Action: "labelmap"}, same},
		"labelmap overwrites":                      {Config{Action: "labelmap", Regex: text("a"), Replacement: text("b")}, with(`b="one"`)},
		"labelmap_all":                             {Config{Action: "labelmap_all", Regex: text("_"), Replacement: text("-")}, `{"--name--"="cpu.host-1.user", a="one", b="two", host="web-1.example", tags=",prod,eu,"}`},
		"labelmap_all to one name":                 {Config{Action: "labelmap_all", Regex: text("^[ab]$"), Replacement: text("z")}, `{__name__="cpu.host-1.user", host="web-1.example", tags=",prod,eu,", z="two"}`},
		"labeldrop":                                {Config{Action: "labeldrop", Regex: text("a|b|ho")}, without("a", "b")},
		"labeldrop without regex":                  {Config{Action: "labeldrop"}, dropped},
		"labelkeep":                                {Config{Action: "labelkeep", Regex: text("a|__.+")}, without("b", "host", "tags")},
		"labelkeep without regex":                  {Config{Action: "labelkeep"}, same},
		"graphite":                                 {Config{Action: "graphite", Match: "cpu.*.*", Labels: map[string]string{"__name__": "cpu_$2", "z": "${1}:80"}}, `{__name__="cpu_user", a="one", b="two", host="web-1.example", tags=",prod,eu,", z="host-1:80"}`},
		"graphite within a part":                   {Config{Action: "graphite", Match: "cpu.*-*.user", Labels: map[string]string{"z": "$1/$2/$0"}}, with(`z="host/1/cpu.host-1.user"`)},
		"graphite of what does not match":          {Config{Action: "graphite", Match: "cpu.*", Labels: map[string]string{"z": "v"}}, same},
		"graphite with a suffix that is not there": {Config{Action: "graphite", Match: "cpu.*.system", Labels: map[string]string{"z": "v"}}, same},
		"graphite with more before the end":        {Config{Action: "graphite", Match: "cpu.*.us", Labels: map[string]string{"z": "v"}}, same},
		"graphite keeps what is no reference":      {Config{Action: "graphite", Match: "cpu.*.*", Labels: map[string]string{"z": "$9 ${x} $ ${1 $"}}, with(`z="$9 ${x} $ ${1 $"`)},
	} {
		t.Run(name, func(t *testing.T) {
			if got := applied(t, mustCompile(t, c.rule), in...); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
