package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tocsin/config"
)

func TestTenantsAreDisabledUnlessAskedFor(t *testing.T) {
	if o := mustParse(t); o.Tenants != (config.Tenants{}) {
		t.Errorf("got %+v", o.Tenants)
	}
}

func TestClusterMode(t *testing.T) {
	o := mustParse(t, "-clusterMode", "-datasource.url=http://vmselect:8481/", "-remoteRead.url=http://lb/metrics",
		"-remoteWrite.url=http://vminsert:8480", "-defaultTenant.prometheus=12:0", "-defaultTenant.graphite=3:4")
	want := config.Tenants{Enabled: true, Prometheus: "12", Graphite: "3:4"}
	if diff := cmp.Diff(want, o.Tenants); diff != "" {
		t.Errorf("tenants (-want +got):\n%s", diff)
	}
}

// A tenant in a URL would be that of all groups.
func TestWrongClusterFlags(t *testing.T) {
	got := parseProblems(t, noEnv, "-clusterMode", "-defaultTenant.prometheus=team",
		"-datasource.url=http://vmselect:8481/select/0/prometheus", "-remoteRead.url=http://vmselect:8481/select/multitenant/prometheus",
		"-remoteRead.disablePathAppend", "-remoteWrite.url=http://vminsert:8480/insert/0/prometheus")
	want := []string{
		"-defaultTenant.prometheus: not a tenant; write account or account:project, both whole numbers below 2^32",
		"-datasource.url must not have /select/ in its path with -clusterMode, which adds it with the tenant of each group",
		"-remoteRead.url must not have /select/ in its path with -clusterMode, which adds it with the tenant of each group",
		"-remoteRead.disablePathAppend and -clusterMode exclude each other, as the tenant is part of the path",
		"-remoteWrite.url must not have /insert/ in its path with -clusterMode, which adds it with the tenant of each group",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

// Whoever says where exactly to write knows how tenants are told apart there.
func TestWholeWriteURLIsAllowedInClusterMode(t *testing.T) {
	o := mustParse(t, "-clusterMode", "-remoteWrite.disablePathAppend", "-remoteWrite.url=http://vmagent:8429/insert/multitenant/api/v1/write")
	if len(o.RemoteWrite.Targets) != 1 {
		t.Errorf("got %+v", o.RemoteWrite.Targets)
	}
}

func TestDefaultTenantsWithoutClusterModeGetAWarning(t *testing.T) {
	line, err := parse(valid("-defaultTenant.graphite=1"), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"-defaultTenant.prometheus and -defaultTenant.graphite are not used without -clusterMode"}
	if diff := cmp.Diff(want, line.warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}
