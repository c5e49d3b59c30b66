package app

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
)

// Whoever reads the API while a reload is under way sees a group as it was or as
// it is to be, never some rules of each.
func TestReadersDuringReloadsSeeWholeGroups(t *testing.T) {
	generation := func(n int) string {
		return fmt.Sprintf("groups: [{name: g, rules: [{alert: A, expr: v%d}, {alert: B, expr: v%d}]}]", n, n)
	}
	d, path := reloadable(t, generation(0))
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				groups := d.groups()
				if len(groups) != 1 || len(groups[0].Rules) != 2 || groups[0].Rules[0].Query != groups[0].Rules[1].Query {
					t.Errorf("torn groups: %+v", groups)
					return
				}
			}
		})
	}
	for n := range 30 {
		write(t, path, generation(n+1))
		if code, body := d.post(); code != http.StatusOK {
			t.Errorf("reload %d: %d %s", n, code, body)
		}
		if got, want := d.groups()[0].Rules[0].Query, fmt.Sprintf("v%d", n+1); got != want {
			t.Errorf("after the answer to the reload the expression is %q, want %q", got, want)
		}
	}
	close(stop)
	readers.Wait()
}
