package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serviceManager is systemd's end of sd_notify.
type serviceManager struct{ conn *net.UnixConn }

func newServiceManager(t *testing.T) (_ *serviceManager, socket string) {
	t.Helper()
	// The path of a socket must be short, which t.TempDir does not see to.
	dir, err := os.MkdirTemp("", "n")
	if err != nil {
		t.Fatal(err)
	}
	socket = filepath.Join(dir, "s")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); os.RemoveAll(dir) })
	return &serviceManager{conn}, socket
}

// expect reads until a message that begins with want, and returns it. No other
// message than those that say alive may come before.
func (m *serviceManager) expect(t *testing.T, want string) string {
	t.Helper()
	if err := m.conn.SetReadDeadline(time.Now().Add(storyTimeout)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	for {
		n, err := m.conn.Read(buf)
		if err != nil {
			t.Fatalf("waiting for %s: %s", want, err)
		}
		switch got := string(buf[:n]); {
		case strings.HasPrefix(got, want):
			return got
		case got != "WATCHDOG=1":
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

func TestServiceManagerIsToldEachStep(t *testing.T) {
	t.Parallel()
	manager, socket := newServiceManager(t)
	nobody := "http://" + freeAddr(t)
	d := newTocsin(t, twoAlerts, "-datasource.url="+nobody, "-notifier.blackhole")
	d.Env = []string{"NOTIFY_SOCKET=" + socket, "WATCHDOG_USEC=400000"}
	d.start(t)

	manager.expect(t, "READY=1")
	manager.expect(t, "WATCHDOG=1")
	d.signal(t, syscall.SIGHUP)
	if got := manager.expect(t, "RELOADING=1"); !strings.Contains(got, "\nMONOTONIC_USEC=") {
		t.Errorf("%q lacks the time of the reload", got)
	}
	manager.expect(t, "READY=1")

	// A reload that fails is over too: systemd must not wait for it.
	d.edit(t, "groups: nonsense")
	d.signal(t, syscall.SIGHUP)
	manager.expect(t, "RELOADING=1")
	manager.expect(t, "READY=1")

	d.signal(t, syscall.SIGTERM)
	manager.expect(t, "STOPPING=1")
	if code := d.wait(t); code != 0 {
		t.Errorf("exit code is %d", code)
	}
}

// TestEarlyReloadSignalIsNotLost sends SIGHUP before the daemon is ready.
func TestEarlyReloadSignalIsNotLost(t *testing.T) {
	t.Parallel()
	d := newTocsin(t, twoAlerts, "-datasource.url=http://"+freeAddr(t), "-notifier.blackhole")
	d.launch(t)
	eventually(t, startTimeout, "the daemon has begun to print", func() error {
		if d.output.String() == "" {
			return errNone
		}
		return nil
	})
	d.signal(t, syscall.SIGHUP)
	eventually(t, storyTimeout, "the reload is counted", func() error {
		n, err := d.metric("vmalert_config_last_reload_total")
		if err == nil && n < 1 {
			err = fmt.Errorf("it is %g", n)
		}
		return err
	})
	if code := d.stop(t); code != 0 {
		t.Errorf("exit code is %d", code)
	}
}
