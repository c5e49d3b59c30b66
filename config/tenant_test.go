package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// withTenants returns options with which groups belong to tenants.
func withTenants(defaults Tenants) *Options {
	o := testOptions()
	defaults.Enabled = true
	o.Defaults.Tenants = defaults
	return o
}

func TestTenantsAreReadInTheirShortestForm(t *testing.T) {
	for text, want := range map[string]Tenant{
		"0": "0", "12": "12", "12:0": "12", "012:003": "12:3", "0:5": "0:5", "4294967295:4294967295": "4294967295:4294967295",
	} {
		if got, err := ParseTenant(text); err != nil || got != want {
			t.Errorf("ParseTenant(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"", ":", "1:", ":1", "-1", "+1", "1:2:3", "4294967296", "1.5", "0x1", "1_0", " 1", "team", "multitenant", "../1"} {
		if got, err := ParseTenant(text); err == nil {
			t.Errorf("ParseTenant(%q) = %q, want an error", text, got)
		}
	}
}

func TestTenantLabels(t *testing.T) {
	for tenant, want := range map[Tenant][]Pair{
		"":     nil,
		"12":   {{"vm_account_id", "12"}, {"vm_project_id", "0"}},
		"12:3": {{"vm_account_id", "12"}, {"vm_project_id", "3"}},
	} {
		if diff := cmp.Diff(want, tenant.Labels()); diff != "" {
			t.Errorf("labels of %q (-want +got):\n%s", tenant, diff)
		}
	}
}

// Each type has its default. What VictoriaLogs is asked for has no tenant; only
// the results do.
func TestGroupsWithoutATenantHaveThatOfTheirType(t *testing.T) {
	const file = `
groups:
- {name: own, tenant: 456:789}
- {name: empty, tenant: ""}
- {name: metrics}
- {name: graphite, type: graphite}
- {name: logs, type: vlogs}
- {name: own logs, type: vlogs, tenant: 9}
`
	for _, c := range []struct {
		defaults Tenants
		want     []Tenant
	}{
		{Tenants{Prometheus: "7", Graphite: "8:1"}, []Tenant{"456:789", "7", "7", "8:1", "7", "9"}},
		{Tenants{Prometheus: "0", Graphite: "0"}, []Tenant{"456:789", "0", "0", "0", "0", "9"}},
	} {
		var got []Tenant
		for _, g := range decodeWith(t, withTenants(c.defaults), file) {
			got = append(got, g.Tenant)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("with %+v (-want +got):\n%s", c.defaults, diff)
		}
	}
	logs := decodeWith(t, withTenants(Tenants{}), "groups: [{name: logs, type: vlogs}]")
	if logs[0].Tenant != "0" {
		t.Errorf("results of logs go to tenant %q without any default, want 0", logs[0].Tenant)
	}
}

func TestWrongTenantsAreProblems(t *testing.T) {
	const file = `
groups:
- name: a
  type: graphite
- name: b
- name: c
  tenant: team-a
- name: d
  tenant: [1]
`
	_, problems := decodeFile("r.yml", []byte(file), withTenants(Tenants{}))
	want := []string{
		`r.yml:3: group "a": the group has no tenant (give it one, or set -defaultTenant.graphite)`,
		`r.yml:5: group "b": the group has no tenant (give it one, or set -defaultTenant.prometheus)`,
		`r.yml:7: group "c": tenant "team-a": not a tenant; write account or account:project, both whole numbers below 2^32`,
		`r.yml:9: group "d": tenant: expected text, found a list`,
	}
	if diff := cmp.Diff(strings.Join(want, "\n"), problems.Error()); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

// To ignore the tenant would be to mix up whose data it is.
func TestTenantNeedsClusterMode(t *testing.T) {
	_, problems := decodeFile("r.yml", []byte("groups:\n- name: g\n  tenant: 1\n"), testOptions())
	want := `r.yml:3: group "g": the group has a tenant, but tenants are not enabled (-clusterMode enables tenants)`
	if got := problems.Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if groups := decode(t, "groups: [{name: g, tenant: ''}]"); groups[0].Tenant != "" {
		t.Errorf("got tenant %q of a group that has none", groups[0].Tenant)
	}
}

// 1 and 1:0 are the same tenant, so nothing changes from one to the other.
func TestGroupsOfOneTenantAreEqual(t *testing.T) {
	o := withTenants(Tenants{})
	a := decodeWith(t, o, "groups: [{name: g, tenant: '1'}]")
	b := decodeWith(t, o, "groups: [{name: g, tenant: '1:0'}]")
	c := decodeWith(t, o, "groups: [{name: g, tenant: '1:1'}]")
	if !a[0].Equal(&b[0]) || a[0].Equal(&c[0]) {
		t.Errorf("1 equals 1:0: %t, want true; 1 equals 1:1: %t, want false", a[0].Equal(&b[0]), a[0].Equal(&c[0]))
	}
}
