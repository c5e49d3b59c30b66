package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tocsin/config"
)

func TestFlagsFromEnvironment(t *testing.T) {
	lookup := env(map[string]string{
		"datasource_url":                "http://from-env:8428",
		"evaluationInterval":            "30s",
		"external_label":                `cluster=a,"note=x,y"`,
		"datasource_basicAuth_username": "carol",
		"version":                       "true", // of something else
	})
	line, err := parse([]string{"-envflag.enable", "-evaluationInterval=15s"}, lookup)
	if err != nil {
		t.Fatal(err)
	}
	o := line.options
	if got := o.Datasource.URL; got != "http://from-env:8428" {
		t.Errorf("-datasource.url is %q", got)
	}
	if got := o.Rules.EvaluationInterval.String(); got != "15s" {
		t.Errorf("-evaluationInterval is %s, but the command line says 15s", got)
	}
	want := []config.Pair{{Name: "cluster", Value: "a"}, {Name: "note", Value: "x,y"}}
	if diff := cmp.Diff(want, o.External.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if got := o.Datasource.Client.BasicAuth.Username; got != "carol" {
		t.Errorf("user is %q", got)
	}
	for _, f := range o.Flags {
		if f.Name == "datasource.url" && !f.IsSet {
			t.Error("a flag from the environment does not count as set")
		}
	}
}

func TestEnvironmentIsLeftAloneUnlessAsked(t *testing.T) {
	got := parseProblems(t, env(map[string]string{"datasource_url": "http://vm"}))
	want := []string{"-datasource.url is required, for example -datasource.url=http://127.0.0.1:8428"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestEnvironmentPrefix(t *testing.T) {
	lookup := env(map[string]string{"VM_datasource_url": "http://vm", "rule": "not-this", "VM_rule": "a.yml"})
	line, err := parse([]string{"-envflag.enable", "-envflag.prefix=VM_"}, lookup)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a.yml"}, line.options.Rules.Files); diff != "" {
		t.Errorf("rule files (-want +got):\n%s", diff)
	}
}

func TestWrongEnvironmentNamesVariableAndFlag(t *testing.T) {
	got := parseProblems(t, env(map[string]string{"rule_evalDelay": "soon"}), valid("-envflag.enable")...)
	want := []string{"rule_evalDelay, for -rule.evalDelay: not a duration; write for example 30s, 5m, 1h30m or 1d"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestVariablesInArguments(t *testing.T) {
	lookup := env(map[string]string{"VM": "http://vm:8428", "NAME": "tenant", "OPTIONAL": ""})
	line, err := parse([]string{"-datasource.url=%{VM}", "%{OPTIONAL}", "-rule", "rules/%{NAME}/*.yml"}, lookup)
	if err != nil {
		t.Fatal(err)
	}
	if got := line.options.Datasource.URL; got != "http://vm:8428" {
		t.Errorf("-datasource.url is %q", got)
	}
	if diff := cmp.Diff([]string{"rules/tenant/*.yml"}, line.options.Rules.Files); diff != "" {
		t.Errorf("rule files (-want +got):\n%s", diff)
	}
	got := parseProblems(t, lookup, valid("-rule=%{NOBODY}", "-external.url", "%{NOBODY}")...)
	want := []string{
		"-rule: the environment variable NOBODY is not set",
		"-external.url: the environment variable NOBODY is not set",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}
