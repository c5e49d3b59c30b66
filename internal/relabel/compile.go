package relabel

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/prometheus/common/model"
)

// Defaults of a rule.
const (
	defaultAction      = "replace"
	defaultSeparator   = ";"
	defaultReplacement = "$1"
)

var errUnknownAction = errors.New("there is no such action")

func (c *Config) compile() (rule, error) {
	name := strings.ToLower(c.Action)
	if name == "" {
		name = defaultAction
	}
	when, err := newCondition(c.If)
	if err != nil {
		return rule{}, err
	}
	do, err := c.build(name)
	if err != nil {
		return rule{}, fmt.Errorf("action %q: %w", name, err)
	}
	if name != "graphite" && (c.Match != "" || len(c.Labels) > 0) {
		return rule{}, fmt.Errorf("action %q: match and labels are of the action graphite only", name)
	}
	return rule{when: when, needed: name == "keep" || name == "keep_metrics", do: do}, nil
}

// build returns what a rule with the given action does.
func (c *Config) build(name string) (action, error) {
	switch name {
	case "replace":
		return c.replace()
	case "replace_all":
		return c.replaceAll()
	case "keep", "drop":
		return c.chooseByRegex(name == "drop")
	case "keep_metrics", "drop_metrics":
		return c.chooseMetrics(name == "drop_metrics")
	case "keepequal", "dropequal":
		return c.chooseTarget(name == "dropequal")
	case "keep_if_equal", "drop_if_equal":
		return c.chooseEqual(name == "drop_if_equal")
	case "keep_if_contains", "drop_if_contains":
		return c.chooseContaining(name == "drop_if_contains")
	case "hashmod":
		return c.hashMod()
	case "uppercase":
		return c.changeCase(strings.ToUpper)
	case "lowercase":
		return c.changeCase(strings.ToLower)
	case "labelmap":
		return c.mapNames()
	case "labelmap_all":
		return c.renameAll()
	case "labeldrop", "labelkeep":
		return c.filterNames(name == "labelkeep")
	case "graphite":
		return c.graphite()
	}
	return nil, errUnknownAction
}

func (c *Config) replace() (action, error) {
	regex, err := c.pattern()
	if err := first(c.needsTarget(), err); err != nil {
		return nil, err
	}
	return &replace{c.source(), regex, c.TargetLabel, newReplacement(c.replacement())}, nil
}

func (c *Config) replaceAll() (action, error) {
	regex, err := c.anywhere()
	if err := first(c.needsSource(), c.needsTarget(), err); err != nil {
		return nil, err
	}
	return &replaceAll{c.source(), regex, c.TargetLabel, c.replacement()}, nil
}

func (c *Config) chooseByRegex(drop bool) (action, error) {
	if len(c.SourceLabels) == 0 && len(c.If) == 0 {
		return nil, errors.New("source_labels or if must be given")
	}
	regex, err := c.pattern()
	if err != nil {
		return nil, err
	}
	return &choose{&sourceMatches{c.source(), regex}, drop}, nil
}

func (c *Config) chooseMetrics(drop bool) (action, error) {
	if len(c.SourceLabels) > 0 {
		return nil, errors.New("source_labels must not be given")
	}
	if (c.Regex == nil || *c.Regex == "") && len(c.If) == 0 {
		return nil, errors.New("regex or if must be given")
	}
	regex, err := c.pattern()
	if err != nil {
		return nil, err
	}
	return &choose{&sourceMatches{source{names: []string{model.MetricNameLabel}}, regex}, drop}, nil
}

func (c *Config) chooseTarget(drop bool) (action, error) {
	if err := first(c.needsTarget(), c.refusesRegex()); err != nil {
		return nil, err
	}
	return &choose{&sourceIsTarget{c.source(), c.TargetLabel}, drop}, nil
}

func (c *Config) chooseEqual(drop bool) (action, error) {
	if len(c.SourceLabels) < 2 {
		return nil, errors.New("source_labels must be two or more")
	}
	if c.TargetLabel != "" {
		return nil, errors.New("target_label must not be given")
	}
	if err := c.refusesRegex(); err != nil {
		return nil, err
	}
	return &choose{&allEqual{c.SourceLabels}, drop}, nil
}

func (c *Config) chooseContaining(drop bool) (action, error) {
	if err := first(c.needsSource(), c.needsTarget(), c.refusesRegex()); err != nil {
		return nil, err
	}
	return &choose{&containsAll{c.TargetLabel, c.SourceLabels}, drop}, nil
}

func (c *Config) hashMod() (action, error) {
	if err := first(c.needsSource(), c.needsTarget()); err != nil {
		return nil, err
	}
	if c.Modulus == 0 {
		return nil, errors.New("modulus must be greater than 0")
	}
	return &hashMod{c.source(), c.Modulus, c.TargetLabel}, nil
}

func (c *Config) changeCase(change func(string) string) (action, error) {
	if err := first(c.needsSource(), c.needsTarget()); err != nil {
		return nil, err
	}
	return &changeCase{c.source(), c.TargetLabel, change}, nil
}

func (c *Config) mapNames() (action, error) {
	regex, err := c.pattern()
	if err != nil {
		return nil, err
	}
	return &mapNames{regex, c.replacement()}, nil
}

func (c *Config) renameAll() (action, error) {
	regex, err := c.anywhere()
	if err != nil {
		return nil, err
	}
	return &renameAll{regex, c.replacement()}, nil
}

func (c *Config) filterNames(keep bool) (action, error) {
	regex, err := c.pattern()
	if err != nil {
		return nil, err
	}
	return &filterNames{regex, keep}, nil
}

func (c *Config) graphite() (action, error) {
	switch {
	case c.Match == "" || len(c.Labels) == 0:
		return nil, errors.New("match and labels must be given")
	case len(c.SourceLabels) > 0, c.TargetLabel != "", c.Replacement != nil, c.Regex != nil:
		return nil, errors.New("source_labels, target_label, replacement and regex must not be given")
	}
	return newGraphite(c.Match, c.Labels), nil
}

func (c *Config) source() source {
	s := source{names: c.SourceLabels, separator: defaultSeparator}
	if c.Separator != nil {
		s.separator = *c.Separator
	}
	return s
}

func (c *Config) replacement() string {
	if c.Replacement == nil {
		return defaultReplacement
	}
	return *c.Replacement
}

// pattern returns the regex for whole texts.
func (c *Config) pattern() (pattern, error) {
	if c.Regex == nil {
		return newPattern(".*")
	}
	return newPattern(*c.Regex)
}

// anywhere returns the regex for parts of texts.
func (c *Config) anywhere() (*regexp.Regexp, error) {
	expr := ".*"
	if c.Regex != nil && !matchesAll(*c.Regex) {
		expr = *c.Regex
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, exprError(expr, err)
	}
	return re, nil
}

func (c *Config) needsSource() error {
	if len(c.SourceLabels) == 0 {
		return errors.New("source_labels must be given")
	}
	return nil
}

func (c *Config) needsTarget() error {
	if c.TargetLabel == "" {
		return errors.New("target_label must be given")
	}
	return nil
}

func (c *Config) refusesRegex() error {
	if c.Regex != nil {
		return errors.New("regex must not be given")
	}
	return nil
}

// first returns the first error there is. One is enough to know: the fields of a
// rule are few and stand together.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
