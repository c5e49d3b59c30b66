package app

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// changing is rule files that are edited all the time.
type changing struct {
	t   *testing.T
	dir string
}

// become writes generation n of the files. In every third one a file is broken.
func (c changing) become(n int) (good bool) {
	c.t.Helper()
	expr := fmt.Sprintf("v%d", n%3)
	write(c.t, filepath.Join(c.dir, "whole.yml"), fmt.Sprintf(
		"groups: [{name: whole, rules: [{alert: A, expr: %[1]s}, {alert: B, expr: %[1]s, for: %[2]dms}]}]", expr, n%2))
	write(c.t, filepath.Join(c.dir, "named.yml"), group(fmt.Sprintf("named%d", n%3), expr))
	moving := [2]string{filepath.Join(c.dir, "here.yml"), filepath.Join(c.dir, "there.yml")}
	write(c.t, moving[n%2], group("moving", expr))
	if err := os.Remove(moving[1-n%2]); err != nil && !os.IsNotExist(err) {
		c.t.Fatal(err)
	}
	good = n%3 != 2
	text := group("sometimes", expr)
	if !good {
		text = badGroup
	}
	write(c.t, filepath.Join(c.dir, "bad.yml"), text)
	return good
}

// reloadAs has the daemon load generations from first to last.
func (d *running) reloadAs(c changing, first, last int) {
	d.t.Helper()
	for n := first; n < last; n++ {
		want := http.StatusOK
		if !c.become(n) {
			want = http.StatusInternalServerError
		}
		if code, body := d.post(); code != want {
			d.t.Fatalf("reload %d: %d %s, want %d", n, code, body, want)
		}
	}
}

// startChanging starts a daemon whose rules read what never has a result.
func startChanging(t *testing.T, allOrNothing bool) (*running, changing) {
	t.Helper()
	c := changing{t, t.TempDir()}
	c.become(0)
	o := withBlackhole(options(newWorld(t), filepath.Join(c.dir, "*.yml")))
	o.Rules.AllOrNothing = allOrNothing
	return start(t, o), c
}

// forBoth runs a test with and without -rule.allOrNothing: bad files make a
// reload partly applied, or refused.
func forBoth(t *testing.T, test func(t *testing.T, allOrNothing bool)) {
	t.Run("partly applied", func(t *testing.T) { test(t, false) })
	t.Run("refused", func(t *testing.T) { test(t, true) })
}

// leastUsage returns what is held on to when the least is under way.
func (d *running) leastUsage() usage {
	u := d.usage()
	for range 8 {
		v := d.usage()
		u.goroutines, u.objects = min(u.goroutines, v.goroutines), min(u.objects, v.objects)
	}
	return u
}

func TestPartlyAppliedAndRefusedReloadsLeaveNothingBehind(t *testing.T) {
	forBoth(t, func(t *testing.T, allOrNothing bool) {
		const cycle, reloads = 6, 12 * 6 // after a cycle, all is as before
		d, c := startChanging(t, allOrNothing)
		d.reloadAs(c, 1, 3*cycle+1)
		before := d.leastUsage()
		d.reloadAs(c, 3*cycle+1, 3*cycle+1+reloads)
		after := d.leastUsage()
		if after.goroutines > before.goroutines+10 {
			t.Errorf("%d goroutines after %d more reloads, %d before", after.goroutines, reloads, before.goroutines)
		}
		// The log book of the test holds a line or two for each reload; a group that
		// stays behind costs dozens of objects.
		if allowed := before.objects + 12*reloads; after.objects > allowed {
			t.Errorf("%d objects after %d more reloads, %d before", after.objects, reloads, before.objects)
		}
		if after.series != before.series {
			t.Errorf("%d series after %d more reloads, %d before", after.series, reloads, before.series)
		}
	})
}

// Readers of API, pages, metrics and plans see one configuration or the next,
// whatever becomes of reloads.
func TestReadersAndPlansDuringReloadsOfAllKinds(t *testing.T) {
	forBoth(t, func(t *testing.T, allOrNothing bool) {
		d, c := startChanging(t, allOrNothing)
		done := make(chan struct{})
		var readers sync.WaitGroup
		read := func(path string) {
			readers.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
					}
					if code, body, err := d.ask(http.MethodGet, path); err != nil || code != http.StatusOK {
						t.Errorf("%s: %d %s, %v", path, code, body, err)
						return
					}
				}
			})
		}
		for _, path := range []string{"/", "/metrics", "/-/reload/plan", "/api/v1/status/reloads", "/vmalert/groups"} {
			read(path)
		}
		for n := 1; n < 8; n++ {
			d.reloadAs(c, n, n+1)
			for _, g := range d.groups() {
				if g.Name == "whole" && g.Rules[0].Query != g.Rules[1].Query {
					t.Fatalf("torn group: %+v", g)
				}
			}
		}
		close(done)
		readers.Wait()
	})
}
