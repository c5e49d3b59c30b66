package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/app"
)

func TestObjectStorageFlagsAreThoseOfVmalertEnterprise(t *testing.T) {
	got := mustParse(t, "-rule=s3://rules/team/,gs://rules/team/", "-s3.credsFilePath=/keys", "-s3.configFilePath=/config",
		"-s3.configProfile=reader", "-s3.customEndpoint=http://minio:9000", "-s3.forcePathStyle=false").Rules
	want := app.ObjectStorageOptions{
		CredentialsFile: "/keys", ConfigFile: "/config", Profile: "reader", Endpoint: "http://minio:9000",
	}
	if diff := cmp.Diff(want, got.Objects); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"s3://rules/team/", "gs://rules/team/"}, got.Files); diff != "" {
		t.Error(diff)
	}
	if !mustParse(t).Rules.Objects.PathStyle {
		t.Error("the path style is not the default")
	}
}

func TestVariablesArePartOfPrefixes(t *testing.T) {
	line, err := parse(valid("-rule=gcs://rules/tenant_%{TENANT_ID}/prod"), env(map[string]string{"TENANT_ID": "7"}))
	if err != nil || line.options.Rules.Files[0] != "gcs://rules/tenant_7/prod" {
		t.Errorf("got %q, %v", line.options.Rules.Files, err)
	}
}

func TestBadPlacesOfRulesAreRefusedWithoutSecrets(t *testing.T) {
	got := parseProblems(t, noEnv, valid("-rule=s3://key:hidden@rules/team/", "-s3.customEndpoint=minio:9000")...)
	want := []string{
		"-s3.customEndpoint: URL must begin with http:// or https://",
		"-rule: not a valid bucket name: write s3://bucket/prefix",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	secret := parseProblems(t, noEnv, valid("-s3.customEndpoint=http://key:hidden@minio:9000")...)
	if len(secret) != 1 || !strings.Contains(secret[0], "neither user nor query") {
		t.Errorf("got %q", secret)
	}
	if strings.Contains(strings.Join(append(got, secret...), ""), "hidden") {
		t.Error("the secret is repeated")
	}
}
