package app

import "testing"

// A dry run is there to find mistakes, whatever is let pass when rules run.
func TestDryRunChecksEvenWhatIsNotValidatedAtStart(t *testing.T) {
	for name, text := range map[string]string{
		"expression": `groups: [{name: g, rules: [{record: r, expr: 'sum('}]}]`,
		"template":   `groups: [{name: g, rules: [{alert: A, expr: up, annotations: {a: '{{ nosuch }}'}}]}]`,
	} {
		o := dryOptions(ruleFile(t, text))
		o.Rules.ValidateExpressions, o.Rules.ValidateTemplates = false, false
		if out, err := dry(o); err == nil {
			t.Errorf("%s: %s", name, out)
		}
	}
}
