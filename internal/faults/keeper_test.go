package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tocsin/internal/e2e/servers"
	"tocsin/internal/faults/plan"
)

// fakeDaemon is the variable that makes this test binary a daemon: it listens at
// the address in it, notes each SIGHUP in the file that is its first argument, and
// ends with 3 when /die is asked for.
const fakeDaemon = "FAULTS_FAKE_DAEMON"

func runFakeDaemon() int {
	hups := make(chan os.Signal, 1)
	signal.Notify(hups, syscall.SIGHUP)
	go func() {
		for range hups {
			f, err := os.OpenFile(os.Args[1], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
			if err != nil {
				os.Exit(4)
			}
			fmt.Fprintln(f, "hup")
			f.Close()
		}
	}()
	terms := make(chan os.Signal, 1)
	signal.Notify(terms, syscall.SIGTERM)
	go func() {
		<-terms
		os.Exit(0)
	}()
	http.HandleFunc("/health", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "rows_dropped_total 2") })
	http.HandleFunc("/die", func(http.ResponseWriter, *http.Request) { os.Exit(3) })
	fmt.Println(http.ListenAndServe(os.Getenv(fakeDaemon), nil))
	return 5
}

// kept is a fake daemon with its keeper.
type kept struct {
	*keeper
	hups string // file
	over chan error
}

func keepFake(t *testing.T) *kept {
	t.Helper()
	addr, err := servers.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	hups := filepath.Join(dir, "hups")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	c := &daemonCommand{url: "http://" + addr, Command: servers.Command{
		Name: "fake", Path: os.Args[0], Args: []string{hups}, Dir: dir,
		Env: []string{fakeDaemon + "=" + addr}, ReadyURL: "http://" + addr + "/health",
	}}
	k := &kept{keeper: newKeeper(c, client, slog.New(slog.DiscardHandler)), hups: hups, over: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { k.over <- k.keep(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-k.over; err != nil {
			t.Error(err)
		}
	})
	k.awaitUp(t)
	return k
}

// await returns when it holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(startTimeout); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("it does not come to pass that %s", what)
		}
		if !sleep(t.Context(), 5*time.Millisecond) {
			t.Fatal("the test is over")
		}
	}
}

func (k *kept) awaitUp(t *testing.T) {
	t.Helper()
	await(t, "the daemon is up", k.isUp)
}

func TestKeeperStartsAgainWhatItKills(t *testing.T) {
	k := keepFake(t)
	for range 3 {
		if err := k.give(t.Context(), plan.Kill, 20*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		k.awaitUp(t)
	}
	out := k.course()
	if out.lives != 4 || len(out.troubles) != 0 {
		t.Errorf("%d lives, want 4; troubles %q", out.lives, out.troubles)
	}
	windows := k.windows(time.Now())
	if len(windows) != 4 {
		t.Fatalf("it was down %d times, want 4", len(windows))
	}
	for _, w := range windows[1:] {
		if w.To.Sub(w.From) < 20*time.Millisecond {
			t.Errorf("it was down for %s only", w.To.Sub(w.From))
		}
	}
}

func TestKeeperKillsWhatIsNotReady(t *testing.T) {
	k := keepFake(t)
	for range 5 {
		if err := k.give(t.Context(), plan.Kill, 0); err != nil {
			t.Fatal(err)
		}
	}
	k.awaitUp(t)
	if out := k.course(); out.lives != 6 || len(out.troubles) != 0 {
		t.Errorf("%d lives, want 6; troubles %q", out.lives, out.troubles)
	}
}

func TestKeeperEndsForGood(t *testing.T) {
	k := keepFake(t)
	await(t, "it has looked at the counters", func() bool { return len(k.course().counters) > 0 })
	if err := k.give(t.Context(), plan.Term, -1); err != nil {
		t.Fatal(err)
	}
	if err := <-k.over; err != nil {
		t.Error(err)
	}
	k.over <- nil // for the cleanup
	out := k.course()
	if len(out.troubles) != 0 || len(out.counters) != 1 || out.counters[0].Value != 2 || out.memory == 0 {
		t.Errorf("troubles %q, counters %v, memory %d", out.troubles, out.counters, out.memory)
	}
}

func TestKeeperNotesDeathOfItself(t *testing.T) {
	k := keepFake(t)
	if resp, err := k.client.Get(k.command.url + "/die"); err == nil {
		resp.Body.Close()
		t.Fatal("it lives on")
	}
	await(t, "there is another life", func() bool { return k.course().lives == 2 })
	if got := k.course().troubles; len(got) != 1 || !strings.Contains(got[0], "exit status 3") {
		t.Errorf("troubles are %q", got)
	}
}

func TestReloadReachesTheDaemon(t *testing.T) {
	k := keepFake(t)
	if err := k.give(t.Context(), plan.Reload, 0); err != nil {
		t.Fatal(err)
	}
	await(t, "SIGHUP has come", func() bool {
		text, err := os.ReadFile(k.hups)
		return err == nil && string(text) == "hup\n"
	})
	if out := k.course(); out.lives != 1 {
		t.Errorf("%d lives, want 1", out.lives)
	}
}
