package app

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// usage is what a daemon holds on to.
type usage struct {
	goroutines, objects int
	series              int // of groups and rules
}

func (d *running) usage() usage {
	_, body := d.get("/metrics")
	// What finalizers free is gone after the second collection.
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{runtime.NumGoroutine(), int(m.HeapObjects), strings.Count(body, `group="`)}
}

func TestThousandReloadsLeaveNothingBehind(t *testing.T) {
	const groups, warmUp, reloads = 10, 100, 1000
	w := newWorld(t)
	w.answer("up", map[string]string{"host": "db1"})
	text := func(i, generation int) string {
		return fmt.Sprintf(`
groups:
- name: g%d
  rules:
  - alert: A
    expr: up
    annotations: {summary: "generation %d of {{ $labels.host }}"}
  - record: r%d
    expr: up
`, i, generation, generation%3)
	}
	contents := map[string]string{}
	for i := range groups {
		contents[fmt.Sprintf("%d.yml", i)] = text(i, 0)
	}
	dir := files(t, contents)
	o := withAlertmanager(withStorage(options(w, filepath.Join(dir, "*.yml")), w), w)
	o.Rules.EvaluationInterval = time.Second
	o.RemoteRead = RemoteReadOptions{}
	d := start(t, o)

	var before usage
	for n := range reloads {
		if n == warmUp {
			before = d.usage()
		}
		write(t, filepath.Join(dir, fmt.Sprintf("%d.yml", n%groups)), text(n%groups, n+1))
		if code, body := d.post(); code != 200 {
			t.Fatalf("reload %d: %d %s", n, code, body)
		}
	}
	after := d.usage()
	if after.goroutines > before.goroutines+10 {
		t.Errorf("%d goroutines after the reloads, %d before", after.goroutines, before.goroutines)
	}
	// The log book of the test holds a line for each reload, and the world what it
	// was sent; a group that stays behind costs dozens of objects.
	if allowed := before.objects + 12*(reloads-warmUp); after.objects > allowed {
		t.Errorf("%d objects after the reloads, %d before", after.objects, before.objects)
	}
	if after.series != before.series {
		t.Errorf("%d series after the reloads, %d before", after.series, before.series)
	}
}
