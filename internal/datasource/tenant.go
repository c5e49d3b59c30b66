package datasource

import (
	"strings"

	"tocsin/config"
)

// tenantMark stands in the path of an endpoint of a cluster for the tenant of a
// query.
const tenantMark = "~tenant~"

// of returns the endpoint that has the data of a tenant: e itself if it is not one
// of a cluster. What there is of a tenant is made for each query, so that any
// number of them cost nothing.
func (e *endpoint) of(t config.Tenant) *endpoint {
	if !strings.Contains(e.url.Path, tenantMark) {
		return e
	}
	c := *e
	for _, s := range []*string{&c.url.Path, &c.url.RawPath, &c.shown} {
		*s = strings.Replace(*s, tenantMark, string(t), 1)
	}
	return &c
}
