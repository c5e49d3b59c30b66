package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"

	"tocsin/internal/e2e/servers"
)

const (
	// startTimeout is how long a server may take until it is ready.
	startTimeout = time.Minute
	// stopTimeout is how long a server may take to stop before it is killed.
	stopTimeout = time.Minute
	// storyTimeout is how long anything may take that a story waits for.
	storyTimeout = time.Minute
	// pollInterval is the time between two looks at a condition.
	pollInterval = 100 * time.Millisecond
)

// process is one server. It may be stopped and started again with the same
// arguments. Used by one goroutine.
type process struct {
	servers.Command

	output servers.Output
	life   *servers.Process // nil while none runs
}

// start starts p and waits until it is ready. The process is ended when the test
// is over, and what it printed is shown if the test failed.
func (p *process) start(t *testing.T) {
	t.Helper()
	p.launch(t)
	if p.ReadyURL == "" {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	if err := p.life.AwaitReady(ctx); err != nil {
		t.Fatal(err)
	}
}

// launch starts p without waiting for anything.
func (p *process) launch(t *testing.T) {
	t.Helper()
	if p.life != nil {
		t.Fatalf("%s is running already", p.Name)
	}
	c := p.Command
	c.Output, c.Env = &p.output, append([]string{"HOME=" + t.TempDir()}, p.Env...)
	life, err := c.Start()
	if err != nil {
		t.Fatal(err)
	}
	p.life = life
	t.Cleanup(func() {
		if p.life == life {
			p.kill()
		}
		if t.Failed() {
			t.Logf("%s printed:\n%s", p.Name, p.output.String())
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
	case <-p.life.Ended():
	case <-time.After(stopTimeout):
		p.kill()
		t.Fatalf("%s did not stop within %s", p.Name, stopTimeout)
	}
	code := p.life.State().ExitCode()
	p.life = nil
	return code
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.life.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// kill ends p at once and waits for it.
func (p *process) kill() {
	p.life.Kill()
	p.life = nil
}

// server returns the path of a program of a Debian package, or ends the test
// with the command that installs it.
func server(t *testing.T, program, pkg string) string {
	t.Helper()
	path, err := servers.Find(program, pkg)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// freeAddr returns a loopback address nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	addr, err := servers.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
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
