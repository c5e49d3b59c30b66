package web

import "github.com/VictoriaMetrics/metrics"

// counts are the counters that belong to no single route.
type counts struct {
	set *metrics.Set

	all         *metrics.Counter // every request
	unsupported *metrics.Counter // of paths that do not exist
	wrongBasic  *metrics.Counter
	wrongKey    *metrics.Counter
}

func newCounts(set *metrics.Set) counts {
	return counts{
		set:         set,
		all:         set.GetOrCreateCounter("vm_http_requests_all_total"),
		unsupported: set.GetOrCreateCounter(errorsOf("*", "unsupported")),
		wrongBasic:  set.GetOrCreateCounter(errorsOf("*", "wrong_basic_auth")),
		wrongKey:    set.GetOrCreateCounter(errorsOf("*", "wrong_auth_key")),
	}
}

// The labels of these names are constants of this package: nothing in them needs
// escaping.

func requestsOf(path string) string {
	return `vm_http_requests_total{path="` + path + `"}`
}

func errorsOf(path, reason string) string {
	return `vm_http_request_errors_total{path="` + path + `",reason="` + reason + `"}`
}
