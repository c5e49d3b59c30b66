// Package servers starts the programs with which whole-process tests and the
// fault harness surround the daemon, and builds the daemon itself. Whoever starts
// a Process ends it.
package servers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"time"
)

// pollInterval is the time between two looks at whether a server is ready.
const pollInterval = 50 * time.Millisecond

// Command is a program with its arguments, to be started any number of times.
type Command struct {
	Name     string // for people
	Path     string
	Args     []string
	Env      []string  // as NAME=value; it gets nothing else but PATH
	Dir      string    // where it runs; "" is the folder of its parent
	Output   io.Writer // gets what it prints
	ReadyURL string    // answers 200 when it is ready
}

// Process is one life of a Command.
type Process struct {
	command *Command
	cmd     *exec.Cmd
	done    chan struct{} // closed when it has ended
}

// Start starts the program and waits for nothing. On Linux it ends with its
// parent, even if that is killed.
func (c *Command) Start() (*Process, error) {
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = c.Output, c.Output, c.Dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, c.Env...)
	cmd.SysProcAttr = endWithParent()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	p := &Process{command: c, cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // how it ended is read from ProcessState
	}()
	return p, nil
}

// AwaitReady returns when ReadyURL answers 200, or an error if the process ends
// or ctx is done before.
func (p *Process) AwaitReady(ctx context.Context) error {
	look := time.NewTicker(pollInterval)
	defer look.Stop()
	for {
		err := p.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s stopped before it was ready: %s", p.command.Name, p.cmd.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("wait for %s to be ready: %w", p.command.Name, errors.Join(context.Cause(ctx), err))
		case <-look.C:
		}
	}
}

func (p *Process) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.command.ReadyURL, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

// client keeps no connection: servers come and go at the same addresses.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.done }

// Signal sends s to the process.
func (p *Process) Signal(s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("send %s to %s: %w", s, p.command.Name, err)
	}
	return nil
}

// Kill ends the process at once and waits for it.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // fails only if it has ended already
	<-p.done
}

// Pid returns the number the system knows the process by.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// State says how the process ended. It is called only after Ended.
func (p *Process) State() *os.ProcessState { return p.cmd.ProcessState }
