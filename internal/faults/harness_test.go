package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tocsin/internal/e2e/servers"
	"tocsin/internal/faults/plan"
)

func TestMain(m *testing.M) {
	if os.Getenv(fakeDaemon) != "" {
		os.Exit(runFakeDaemon())
	}
	goleak.VerifyTestMain(m)
}

// survived are the faults of which tocsin is to lose nothing. One Alertmanager is
// always well.
var survived = []string{
	"alertmanager-a/down", "alertmanager-a/hang", "alertmanager-a/slow", "alertmanager-a/cut",
	"alertmanager-a/429", "alertmanager-a/500", "alertmanager-a/400", "alertmanager-a/rubbish",
	"storage/down", "storage/hang", "storage/slow", "storage/cut", "storage/429", "storage/500", "storage/rubbish",
	"storage/400", "datasource/down", "datasource/hang", "datasource/500",
	"rules/reload", "process/kill", "process/term",
}

// TestShortRunLosesNothing is the harness as a whole, with the real servers.
func TestShortRunLosesNothing(t *testing.T) {
	set, err := plan.NewSet(survived...)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	o := &options{
		plan:   plan.Options{Seed: 4, Duration: 20 * time.Second, Kills: 8, Faults: set},
		tocsin: filepath.Join(dir, "tocsin"), dir: dir,
		within: patience{evaluate: time.Second, deliver: 5 * time.Second},
		settle: time.Minute, maxMemory: 512 << 20,
		lenient: true,
	}
	// Longer than the machine is likely to stand still while it runs other tests.
	o.world.Interval = 2 * time.Second
	o.fill()
	o.world.Pairs, o.world.PerGroup, o.world.Steady = 6, 2, 16*time.Second
	if err := servers.Build(o.tocsin); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	outcomes, err := o.tryAll(t.Context(), slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatalf("%s\n%s", err, log.String())
	}
	out := outcomes[0]
	t.Logf("%d samples, %+v", out.records.Expected, out.pages)
	var text bytes.Buffer
	report(&text, o, outcomes)
	if out.lost() > 0 {
		printed, _ := os.ReadFile(filepath.Join(dir, "tocsin.d", "tocsin.log")) // the losses are told without it
		t.Errorf("%s\n%s\nit printed:\n%.20000s", text.String(), log.String(), printed)
	}
	if out.records.Expected < 100 || out.pages[0].Demanded+out.pages[1].Demanded < 10 || out.pages[1].Ends < 10 {
		t.Errorf("so little was demanded that nothing can be lost:\n%s", text.String())
	}
	for _, name := range []string{"firings.txt", "happened.txt", "alertmanager-a.txt", "alertmanager-b.txt"} {
		if text, err := os.ReadFile(filepath.Join(dir, "tocsin.d", name)); err != nil || len(text) == 0 {
			t.Errorf("evidence %s has %d bytes, %v", name, len(text), err)
		}
	}
	if len(out.tried) < 3 {
		t.Errorf("hardly anything was tried:\n%s", text.String())
	}
}
