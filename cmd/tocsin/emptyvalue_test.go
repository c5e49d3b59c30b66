package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An address that is empty, as of a variable that nobody set, is nobody's address.
func TestEmptyAddressesAreRefused(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-notifier.url="}, "-notifier.url: address 1: URL is empty"},
		{[]string{"-notifier.url=http://am:9093", "-notifier.url="}, "-notifier.url: address 2: URL is empty"},
		{[]string{"-notifier.url=http://"}, "-notifier.url: address 1: URL has no host"},
		{[]string{"-notifier.url=am:9093"}, "-notifier.url: address 1: URL must begin with http:// or https://"},
		{[]string{"-datasource.url=vm:8428"}, "-datasource.url: URL must begin with http:// or https://"},
		{[]string{"-datasource.url="}, "-datasource.url is required, for example -datasource.url=http://127.0.0.1:8428"},
	} {
		if diff := cmp.Diff([]string{c.want}, parseProblems(t, noEnv, valid(c.args...)...)); diff != "" {
			t.Errorf("%q: problems (-want +got):\n%s", c.args, diff)
		}
	}
}
