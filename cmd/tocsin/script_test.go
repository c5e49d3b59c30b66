package main

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs the whole program as testdata/script says. Besides the usual
// commands there is
//
//	ready
//
// which waits until a tocsin in the background has told the service manager that
// it is ready.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: beServiceManager,
		Cmds:  map[string]func(*testscript.TestScript, bool, []string){"ready": awaitReady},
	})
}

// serviceManager is the key of the socket by which a script's tocsin tells how it
// is doing.
type serviceManager struct{}

// beServiceManager listens for what a script's tocsin tells, as systemd does.
func beServiceManager(e *testscript.Env) error {
	address := &net.UnixAddr{Name: filepath.Join(e.WorkDir, ".notify"), Net: "unixgram"}
	socket, err := net.ListenUnixgram("unixgram", address)
	if err != nil {
		return err
	}
	e.Defer(func() { _ = socket.Close() })
	e.Setenv("NOTIFY_SOCKET", address.Name)
	e.Values[serviceManager{}] = socket
	return nil
}

// readyPatience is how long a start may take before the test fails.
const readyPatience = time.Minute

func awaitReady(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: ready")
	}
	socket := ts.Value(serviceManager{}).(*net.UnixConn)
	ts.Check(socket.SetReadDeadline(time.Now().Add(readyPatience)))
	told := make([]byte, 1<<10)
	for {
		n, err := socket.Read(told)
		if err != nil {
			ts.Fatalf("tocsin does not get ready: %v", err)
		}
		if strings.Contains(string(told[:n]), "READY=1") {
			return
		}
	}
}
