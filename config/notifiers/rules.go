package notifiers

import (
	"fmt"
	"strings"

	"tocsin/config"
	"tocsin/internal/relabel"
)

// relabelConfigs reads a list of relabeling rules. Those that cannot be used are
// problems and left out.
func relabelConfigs(m *config.Mapping, key string) []relabel.Config {
	var good []relabel.Config
	for i, inner := range m.Mappings(key) {
		c, ok := relabelConfig(inner)
		if !ok {
			continue
		}
		if err := c.Check(); err != nil {
			inner.Problem(inner.Line(), fmt.Sprintf("rule %d: %s", i+1, err))
			continue
		}
		good = append(good, c)
	}
	return good
}

// relabelConfig reads one rule, and reports whether all of it could be read.
func relabelConfig(m *config.Mapping) (c relabel.Config, ok bool) {
	before := m.Found()
	c = relabel.Config{
		If:           m.TextOrTexts("if"),
		Action:       m.Text("action"),
		SourceLabels: m.Texts("source_labels"),
		Separator:    m.OptionalText("separator"),
		TargetLabel:  m.Text("target_label"),
		Replacement:  m.OptionalText("replacement"),
		Match:        m.Text("match"),
	}
	// A regex in several lines is one with alternatives.
	if lines := m.TextOrTexts("regex"); m.Has("regex") {
		joined := strings.Join(lines, "|")
		c.Regex = &joined
	}
	modulus := m.Int("modulus")
	if modulus < 0 {
		m.Problem(m.LineOf("modulus"), "modulus must not be negative")
	}
	c.Modulus = uint64(max(modulus, 0))
	for _, label := range m.Pairs("labels") {
		if c.Labels == nil {
			c.Labels = map[string]string{}
		}
		c.Labels[label.Name] = label.Value
	}
	m.Done(nil)
	return c, m.Found() == before
}
