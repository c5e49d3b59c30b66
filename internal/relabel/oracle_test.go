package relabel

import (
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	prometheus "github.com/prometheus/prometheus/model/relabel"
	"pgregory.net/rapid"
)

// shared are the actions that mean the same in both dialects. hashmod hashes
// differently.
var shared = []prometheus.Action{
	prometheus.Replace, prometheus.Keep, prometheus.Drop, prometheus.KeepEqual, prometheus.DropEqual,
	prometheus.LabelMap, prometheus.LabelDrop, prometheus.LabelKeep, prometheus.Lowercase, prometheus.Uppercase,
}

// A regex of .* is left out: here it has a group. So are replacements with braces.
var (
	anyName        = rapid.SampledFrom([]string{"a", "b", "ab", "a_b", "job", "__name__", "__meta_x"})
	anyValue       = rapid.SampledFrom([]string{"", "a", "b", "ab", "A", "x;y", "a;b", "line\nbreak", "$1", "ä"})
	anyRegex       = rapid.SampledFrom([]string{"(.+)", "a", "(a|b)", "(a)(b)?", "__meta_(.+)", "a.*", ".*b", "", "x;.", "(?i)a", "^a$", "(a)_(.)"})
	anyReplacement = rapid.SampledFrom([]string{"$1", "", "x", "a", "$2$1", "pre_$1", "${1}_post", "$$", "$x"})
	anySeparator   = rapid.SampledFrom([]string{";", "", "-"})
)

// drawRule draws one rule for both dialects.
func drawRule(t *rapid.T) (Config, *prometheus.Config) {
	p := &prometheus.Config{
		Action:               rapid.SampledFrom(shared).Draw(t, "action"),
		Separator:            anySeparator.Draw(t, "separator"),
		Replacement:          anyReplacement.Draw(t, "replacement"),
		NameValidationScheme: model.UTF8Validation,
	}
	c := Config{Action: string(p.Action), Separator: &p.Separator, Replacement: &p.Replacement}
	for _, name := range rapid.SliceOfN(anyName, 1, 3).Draw(t, "source") {
		p.SourceLabels = append(p.SourceLabels, model.LabelName(name))
		c.SourceLabels = append(c.SourceLabels, name)
	}
	p.TargetLabel = anyName.Draw(t, "target")
	c.TargetLabel = p.TargetLabel
	regex := anyRegex.Draw(t, "regex")
	p.Regex = prometheus.MustNewRegexp(regex)
	if p.Action != prometheus.KeepEqual && p.Action != prometheus.DropEqual {
		c.Regex = &regex
	}
	return c, p
}

// Between rules, labels without a value are still there: labelmap copies them, and
// labeldrop must take them away before nothing is left, which ends relabeling. In
// Prometheus neither is so. Hence labelmap comes first and labeldrop last.
func fits(a prometheus.Action, i, n int) bool {
	switch a {
	case prometheus.LabelMap:
		return i == 0
	case prometheus.LabelDrop, prometheus.LabelKeep:
		return i == n-1
	}
	return true
}

func TestPrometheusAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := labels.FromMap(rapid.MapOfN(anyName, anyValue, 1, 6).Draw(t, "labels")).WithoutEmpty()
		if in.IsEmpty() {
			t.Skip("nothing to relabel")
		}
		var configs []Config
		var expected []*prometheus.Config
		n := rapid.IntRange(1, 3).Draw(t, "rules")
		for i := range n {
			c, p := drawRule(t)
			if fits(p.Action, i, n) {
				configs, expected = append(configs, c), append(expected, p)
			}
		}
		rules, err := Compile(configs)
		if err != nil {
			t.Fatal(err)
		}
		got, kept := rules.Apply(in)
		want, wanted := prometheusApplies(in, expected)
		if kept != wanted || !labels.Equal(got, want) {
			t.Fatalf("%s became %s, %v; want %s, %v", in, got, kept, want, wanted)
		}
	})
}

func prometheusApplies(in labels.Labels, rules []*prometheus.Config) (labels.Labels, bool) {
	b := labels.NewBuilder(in)
	if !prometheus.ProcessBuilder(b, rules...) {
		return labels.EmptyLabels(), false
	}
	out := b.Del("").Labels() // of labelmap; here it goes, too
	return out, !out.IsEmpty()
}
