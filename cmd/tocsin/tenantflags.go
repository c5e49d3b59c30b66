package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"tocsin/config"
	"tocsin/internal/app"
)

// tenantFlags are the flags of a VictoriaMetrics cluster with tenants.
type tenantFlags struct {
	clusterMode          bool
	prometheus, graphite string // of groups that name none, by type
}

func (f *flags) addTenantFlags() {
	f.topic = topicTenants
	f.tenants = &tenantFlags{}
	f.bool(&f.tenants.clusterMode, "clusterMode", false, "Evaluate each group for the tenant that it names: the tenant is put into -datasource.url and -remoteRead.url, and results are labelled with it and written by way of the cluster's path for several tenants. The URLs name only the host of the cluster then")
	const help = "Tenant, as account or account:project, of the groups of type %s that name none, with -clusterMode"
	f.string(&f.tenants.graphite, "defaultTenant.graphite", "", fmt.Sprintf(help, config.Graphite))
	f.string(&f.tenants.prometheus, "defaultTenant.prometheus", "", fmt.Sprintf(help, config.Prometheus))
}

// options fills in the tenants, or returns everything that is wrong with them. It
// comes after the URLs.
func (t *tenantFlags) options(o *app.Options) error {
	o.Tenants.Enabled = t.clusterMode
	var errs [2]error
	o.Tenants.Prometheus, errs[0] = readTenant("defaultTenant.prometheus", t.prometheus)
	o.Tenants.Graphite, errs[1] = readTenant("defaultTenant.graphite", t.graphite)
	if !t.clusterMode {
		return errors.Join(errs[:]...)
	}
	return errors.Join(errs[0], errs[1], checkClusterURLs(o))
}

func readTenant(flag, text string) (config.Tenant, error) {
	if text == "" {
		return "", nil
	}
	t, err := config.ParseTenant(text)
	if err != nil {
		return "", fmt.Errorf("-%s: %w", flag, err)
	}
	return t, nil
}

// checkClusterURLs refuses what would send the data of one tenant to another, or
// nowhere.
func checkClusterURLs(o *app.Options) error {
	errs := []error{
		namesNoTenant("datasource.url", o.Datasource.URL),
		namesNoTenant("remoteRead.url", o.RemoteRead.URL),
	}
	if o.RemoteRead.DisablePathAppend {
		errs = append(errs, errors.New("-remoteRead.disablePathAppend and -clusterMode exclude each other, as the tenant is part of the path"))
	}
	for _, target := range o.RemoteWrite.Targets {
		if !o.RemoteWrite.DisablePathAppend {
			errs = append(errs, namesNoTenant("remoteWrite.url", target.URL))
		}
	}
	return errors.Join(errs...)
}

// namesNoTenant refuses a URL that goes on after the host as those of one tenant do.
func namesNoTenant(flag, address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return nil // what is wrong with it is told elsewhere
	}
	for _, part := range []string{"/select/", "/insert/"} {
		if strings.Contains(u.Path+"/", part) {
			return fmt.Errorf("-%s must not have %s in its path with -clusterMode, which adds it with the tenant of each group", flag, part)
		}
	}
	return nil
}

// surplus warns of tenants that no group can have.
func (t *tenantFlags) surplus() []string {
	if t.clusterMode || t.prometheus+t.graphite == "" {
		return nil
	}
	return []string{"-defaultTenant.prometheus and -defaultTenant.graphite are not used without -clusterMode"}
}
