package config

import (
	"cmp"
	"errors"
	"strconv"
	"strings"
)

// Tenant is an account of a VictoriaMetrics cluster with one of its projects, as it
// stands in URLs and in its shortest form: "12", or "12:3" unless the project is
// 0. The zero value is no tenant.
type Tenant string

// The labels by which a cluster tells tenants apart.
const (
	AccountLabel = "vm_account_id"
	ProjectLabel = "vm_project_id"
)

// Tenants says whether groups belong to tenants of a cluster.
type Tenants struct {
	Enabled bool // otherwise no group may have one
	// Prometheus and Graphite are the tenants of the groups of these types that name
	// none; such groups are refused where that is none either. Groups of type vlogs
	// are queried without a tenant. Their results go to the one they name, or else
	// to Prometheus, or else to tenant 0.
	Prometheus, Graphite Tenant
}

// errNoTenant says how tenants are written.
var errNoTenant = errors.New("not a tenant; write account or account:project, both whole numbers below 2^32")

// ParseTenant reads account[:project].
func ParseTenant(s string) (Tenant, error) {
	account, project, hasProject := strings.Cut(s, ":")
	a, err := strconv.ParseUint(account, 10, 32)
	if err != nil {
		return "", errNoTenant
	}
	var p uint64
	if hasProject {
		if p, err = strconv.ParseUint(project, 10, 32); err != nil {
			return "", errNoTenant
		}
	}
	if p == 0 {
		return Tenant(strconv.FormatUint(a, 10)), nil
	}
	return Tenant(strconv.FormatUint(a, 10) + ":" + strconv.FormatUint(p, 10)), nil
}

// Labels returns the labels that stand for the tenant, sorted by name; nil if there
// is none.
func (t Tenant) Labels() []Pair {
	if t == "" {
		return nil
	}
	account, project, _ := strings.Cut(string(t), ":")
	if project == "" {
		project = "0"
	}
	return []Pair{{Name: AccountLabel, Value: account}, {Name: ProjectLabel, Value: project}}
}

// settleTenant puts in force the tenant that the group names, or else the default.
func (d *decoder) settleTenant(g *Group, set *fieldSet) {
	f, found := set.find("tenant")
	text, before := "", len(d.problems)
	if found {
		text = d.text(f.value, f.name)
	}
	if len(d.problems) > before {
		return
	}
	tenants := &d.defaults.Tenants
	switch {
	case text == "" && tenants.Enabled:
		g.Tenant = tenants.of(g.Type)
		if g.Tenant == "" {
			d.problem(g.Line, "give it one, or set -defaultTenant."+string(g.Type), "the group has no tenant")
		}
	case text == "":
	case !tenants.Enabled:
		d.problem(f.line, "-clusterMode enables tenants", "the group has a tenant, but tenants are not enabled")
	default:
		var err error
		if g.Tenant, err = ParseTenant(text); err != nil {
			d.problem(f.line, "", "tenant %q: %v", clip(text), err)
		}
	}
}

// of returns the tenant of groups of a type that name none.
func (t *Tenants) of(language Type) Tenant {
	switch language {
	case Graphite:
		return t.Graphite
	case VLogs:
		return cmp.Or(t.Prometheus, "0")
	}
	return t.Prometheus
}
