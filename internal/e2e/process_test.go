package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	// startTimeout is how long a server may take until it is ready.
	startTimeout = 30 * time.Second
	// stopTimeout is how long a server may take to stop before it is killed.
	stopTimeout = 20 * time.Second
	// storyTimeout is how long anything may take that a story waits for.
	storyTimeout = 30 * time.Second
	// pollInterval is the time between two looks at a condition.
	pollInterval = 100 * time.Millisecond
)

// process is one server. It may be stopped and started again with the same
// arguments. Used by one goroutine.
type process struct {
	name, bin string
	args      []string
	env       []string // as NAME=value; it gets nothing else but PATH and HOME
	readyURL  string   // answers 200 when the server is ready; "" does not wait

	output output
	cmd    *exec.Cmd
	done   chan struct{} // closed when cmd has ended; nil while none runs
}

// start starts p and waits until it is ready. The process is ended when the test
// is over, and what it printed is shown if the test failed.
func (p *process) start(t *testing.T) {
	t.Helper()
	p.launch(t)
	if p.readyURL == "" {
		return
	}
	eventually(t, startTimeout, p.name+" is ready", func() error {
		select {
		case <-p.done:
			t.Fatalf("%s stopped before it was ready: %s", p.name, p.cmd.ProcessState)
		default:
		}
		_, err := get(p.readyURL)
		return err
	})
}

// launch starts p without waiting for anything.
func (p *process) launch(t *testing.T) {
	t.Helper()
	if p.done != nil {
		t.Fatalf("%s is running already", p.name)
	}
	cmd, done := exec.Command(p.bin, p.args...), make(chan struct{})
	cmd.Stdout, cmd.Stderr = &p.output, &p.output
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, p.env...)
	cmd.SysProcAttr = endWithParent()
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %s", p.name, err)
	}
	go func() {
		defer close(done)
		_ = cmd.Wait() // the exit code is read from ProcessState
	}()
	p.cmd, p.done = cmd, done
	t.Cleanup(func() {
		if p.done == done {
			p.kill()
		}
		if t.Failed() {
			t.Logf("%s printed:\n%s", p.name, p.output.String())
		}
	})
}

// stop asks p to stop, waits and returns its exit code.
func (p *process) stop(t *testing.T) int {
	t.Helper()
	p.signal(t, syscall.SIGTERM)
	return p.wait(t)
}

// wait waits until p has stopped and returns its exit code.
func (p *process) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(stopTimeout):
		p.kill()
		t.Fatalf("%s did not stop within %s", p.name, stopTimeout)
	}
	p.done = nil
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatalf("sending %s to %s: %s", s, p.name, err)
	}
}

// kill ends p at once and waits for it.
func (p *process) kill() {
	// An error means that it has ended already.
	_ = p.cmd.Process.Kill()
	<-p.done
	p.done = nil
}

// output collects what a process prints.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// server returns the path of a program of a Debian package, or ends the test
// with the command that installs it.
func server(t *testing.T, program, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("%s is missing; install it with:\n\tapt-get update && apt-get install -y --no-install-recommends %s", program, pkg)
	}
	return path
}

// lastPort is the port given out last. Ports come from below the range from
// which the system takes those of outgoing connections, so that none is taken
// between being chosen and being listened on.
var lastPort atomic.Int32

// freeAddr returns a loopback address nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	const first, count = 12000, 18000
	lastPort.CompareAndSwap(0, int32(os.Getpid()%count)+1)
	for range count {
		addr := fmt.Sprintf("127.0.0.1:%d", first+lastPort.Add(1)%count)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		l.Close()
		return addr
	}
	t.Fatal("no free port")
	return ""
}

// eventually waits until look returns nil, and ends the test with its last error
// when that takes longer than within.
func eventually(t *testing.T, within time.Duration, what string, look func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := look()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %s it does not hold that %s: %s", within, what, err)
		}
		time.Sleep(pollInterval)
	}
}

// letPass waits until d has passed since a moment: time in which something is to
// happen that would go wrong.
func letPass(t *testing.T, since time.Time, d time.Duration) {
	t.Helper()
	eventually(t, storyTimeout, d.String()+" have passed", func() error {
		if rest := d - time.Since(since); rest > 0 {
			return fmt.Errorf("%s are left", rest)
		}
		return nil
	})
}

// client keeps no connection, so that no goroutine outlives a test.
var client = &http.Client{
	Timeout:   10 * time.Second,
	Transport: &http.Transport{DisableKeepAlives: true},
}

// get returns the body at url, or an error unless the status is 200.
func get(url string) (string, error) {
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return body.String(), fmt.Errorf("%s answers %s: %.500s", url, resp.Status, body.String())
	}
	return body.String(), nil
}

var errNone = errors.New("there is none")
