package app

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metrics"
)

func TestObjectStorageIsSetUpOnlyWhereRulesAreInIt(t *testing.T) {
	m := metrics.NewSet()
	s, err := newRuleSources(&RuleOptions{Files: []string{"a.yml", "http://rules/a.yml"}}, m)
	if err != nil {
		t.Fatal(err)
	}
	if s.store() != nil {
		t.Error("there is a store")
	}
	for _, name := range m.ListMetricNames() {
		if strings.Contains(name, "object_storage") {
			t.Errorf("there is a metric %s", name)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}

	s, err = newRuleSources(&RuleOptions{Files: []string{"a.yml", "gs://rules/"}}, m)
	if err != nil {
		t.Fatal(err)
	}
	if s.store() == nil {
		t.Error("there is no store")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestMissingAuthoritiesOfObjectStorageStopTheStart(t *testing.T) {
	t.Setenv("AWS_CA_BUNDLE", filepath.Join(t.TempDir(), "missing.pem"))
	_, err := newRuleSources(&RuleOptions{Files: []string{"s3://rules/"}}, nil)
	if err == nil || !strings.Contains(err.Error(), "missing.pem") {
		t.Errorf("got %v", err)
	}
}
