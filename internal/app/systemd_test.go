package app

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// manager is a service manager that listens to sd_notify.
type manager struct {
	mu     sync.Mutex
	states []string
}

// newManager has the daemons of this test notify the manager that it returns.
func newManager(t *testing.T) *manager {
	t.Helper()
	// The path of a socket has to be short, which t.TempDir is not.
	dir, err := os.MkdirTemp("", "sd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("NOTIFY_SOCKET", path)
	m := &manager{}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		m.listen(conn)
	}()
	t.Cleanup(func() {
		conn.Close()
		<-heard
	})
	return m
}

func (m *manager) listen(conn *net.UnixConn) {
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			m.mu.Lock()
			m.states = append(m.states, string(buf[:n]))
			m.mu.Unlock()
		}
	}
}

// heard returns what the manager was told that begins with prefix, in order.
func (m *manager) heard(prefix string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []string
	for _, s := range m.states {
		if strings.HasPrefix(s, prefix) {
			found = append(found, s)
		}
	}
	return found
}

// await waits until the manager has been told n times what begins with prefix.
func (m *manager) await(t *testing.T, prefix string, n int) {
	t.Helper()
	await(t, "the service manager hears "+prefix, func() bool { return len(m.heard(prefix)) >= n })
}

// expect checks the whole of what the manager was told, by the first word.
func (m *manager) expect(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for _, s := range m.heard("") {
		word, _, _ := strings.Cut(s, "\n")
		got = append(got, word)
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("the service manager heard %q, want %q", got, want)
	}
}

func TestServiceManagerHearsOfTheLifeOfTheDaemon(t *testing.T) {
	m := newManager(t)
	d, path := reloadable(t, group("one", "up"))
	m.await(t, "READY=1", 1)

	before := monotonic(t)
	write(t, path, group("two", "up"))
	d.reload <- struct{}{}
	m.await(t, "READY=1", 2)
	at, err := strconv.ParseInt(strings.TrimPrefix(m.heard("RELOADING=1")[0], "RELOADING=1\nMONOTONIC_USEC="), 10, 64)
	if err != nil {
		t.Fatalf("heard %q: %v", m.heard("RELOADING=1"), err)
	}
	if after := monotonic(t); at < before || at > after {
		t.Errorf("the reload began at %d, which is not between %d and %d", at, before, after)
	}

	if err := d.stop(); err != nil {
		t.Errorf("end of the daemon: %v", err)
	}
	m.await(t, "STOPPING=1", 1)
	m.expect(t, "READY=1", "RELOADING=1", "READY=1", "STOPPING=1")
}

// monotonic returns the clock of the service manager in microseconds.
func monotonic(t *testing.T) int64 {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		t.Fatal(err)
	}
	return now.Nano() / 1000
}

func TestServiceManagerHearsOfFailedReloadsToo(t *testing.T) {
	m := newManager(t)
	d, path := reloadable(t, group("one", "up"))
	write(t, path, badGroup)
	d.post()
	m.await(t, "READY=1", 2)
	m.expect(t, "READY=1", "RELOADING=1", "READY=1")
}

func TestDaemonThatCannotStartIsNeverReady(t *testing.T) {
	m := newManager(t)
	startError(t, options(newWorld(t), ruleFile(t, badGroup)))
	if heard := m.heard("READY=1"); len(heard) != 0 {
		t.Errorf("heard %q", heard)
	}
}

func TestDaemonIsReadyOnlyWithItsRules(t *testing.T) {
	m := newManager(t)
	s := serveRules(t, oneAlert)
	arrived, release := s.w.block(t, s.rules)
	s.running = launch(t, withBlackhole(options(s.w, s.rules.URL)))
	<-arrived
	if heard := m.heard(""); len(heard) != 0 {
		t.Errorf("heard %q before the rules are loaded", heard)
	}
	release()
	m.await(t, "READY=1", 1)
}

func TestWatchdogHearsOfTheDaemon(t *testing.T) {
	m := newManager(t)
	t.Setenv("WATCHDOG_USEC", "20000")
	d, _ := reloadable(t, group("one", "up"))
	m.await(t, "WATCHDOG=1", 3)
	if err := d.stop(); err != nil {
		t.Errorf("end of the daemon: %v", err)
	}
}

// A slow rule server is no reason to be killed.
func TestWatchdogHearsOfTheDaemonDuringASlowReload(t *testing.T) {
	m := newManager(t)
	t.Setenv("WATCHDOG_USEC", "20000")
	s := startServed(t, group("one", "up"))
	arrived, release := s.w.block(t, s.rules)
	s.reload <- struct{}{}
	<-arrived
	m.await(t, "RELOADING=1", 1)
	m.await(t, "WATCHDOG=1", len(m.heard("WATCHDOG=1"))+3)
	release()
}

func TestBadWatchdogSettingIsReported(t *testing.T) {
	newManager(t)
	t.Setenv("WATCHDOG_USEC", "soon")
	d, _ := reloadable(t, group("one", "up"))
	d.awaitLog("systemd watchdog is not served", 1)
}

func TestMissingServiceManagerDoesNoHarm(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "gone"))
	d, _ := reloadable(t, group("one", "up"))
	if err := d.stop(); err != nil {
		t.Errorf("end of the daemon: %v", err)
	}
	if len(d.log.records("systemd was not told")) == 0 {
		t.Error("that nobody listens was not logged")
	}
}
