package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Command says what to start.
type Command struct {
	Binary string
	Dir    string    // where it runs, and may leave files
	Rules  string    // the pattern for -rule
	Args   []string  // more of them
	Output io.Writer // of what it prints, errors included
}

// Process is a program under measurement.
type Process struct {
	cmd  *exec.Cmd
	addr string
	http http.Client
}

// Start starts a program that asks, tells and writes to the stub at url. It ends
// with ctx or with Kill.
func Start(ctx context.Context, c Command, url string) (*Process, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	p := &Process{addr: addr, http: http.Client{Transport: &http.Transport{}}}
	args := []string{
		"-rule=" + c.Rules, "-datasource.url=" + url, "-notifier.url=" + url,
		"-remoteWrite.url=" + url, "-httpListenAddr=" + addr, "-external.label=env=bench",
	}
	p.cmd = exec.CommandContext(ctx, c.Binary, append(args, c.Args...)...)
	p.cmd.Dir = c.Dir
	p.cmd.Stdout, p.cmd.Stderr = c.Output, c.Output
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Binary, err)
	}
	return p, nil
}

// freeAddr returns an address on which nobody listens at the moment.
func freeAddr() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}

// Kill ends the process, unless it has ended, and waits for that.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // says no more than that it was killed
	p.http.CloseIdleConnections()
}

// Signal sends a signal to the process.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Get returns the body that the process answers with status 200. The process may
// pack it.
func (p *Process) Get(path string) ([]byte, error) { return p.get(path, nil) }

// GetPlain is Get without having the process pack the body, for which it needs
// memory.
func (p *Process) GetPlain(path string) ([]byte, error) {
	return p.get(path, http.Header{"Accept-Encoding": {"identity"}})
}

func (p *Process) get(path string, h http.Header) ([]byte, error) {
	req, err := http.NewRequest(http.MethodGet, "http://"+p.addr+path, nil)
	if err != nil {
		return nil, err
	}
	maps.Copy(req.Header, h)
	resp, err := p.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, errors.New(resp.Status)
	}
	return io.ReadAll(resp.Body)
}

// Post posts nothing to path and returns the status and the body of the answer.
func (p *Process) Post(ctx context.Context, path string) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.addr+path, nil)
	if err != nil {
		return 0, nil, err
	}
	resp, err := p.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

// Group is a group of rules in the API.
type Group struct {
	Name  string `json:"name"`
	Rules []struct {
		LastEvaluation time.Time `json:"lastEvaluation"`
	} `json:"rules"`
}

// Groups returns the groups in the API.
func (p *Process) Groups() ([]Group, error) {
	body, err := p.Get("/api/v1/rules")
	if err != nil {
		return nil, err
	}
	var reply struct {
		Data struct {
			Groups []Group `json:"groups"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		return nil, fmt.Errorf("read the rules in the API: %w", err)
	}
	return reply.Data.Groups, nil
}

// AwaitRules returns when the API lists want rules, or the time is up.
func (p *Process) AwaitRules(want int) error {
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		var groups []Group
		if groups, err = p.Groups(); err != nil {
			continue
		}
		n := 0
		for _, g := range groups {
			n += len(g.Rules)
		}
		if n == want {
			return nil
		}
		err = fmt.Errorf("%d rules in the API, want %d", n, want)
	}
	return err
}

// CPU returns the CPU time that the process has used, to 10 ms.
func (p *Process) CPU() (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read the CPU time used: %w", err)
	}
	// Fields are counted after the command, which is in parentheses.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	user, userErr := strconv.Atoi(fields[11])
	system, systemErr := strconv.Atoi(fields[12])
	const ticksPerSecond = 100
	return time.Duration(user+system) * time.Second / ticksPerSecond, errors.Join(userErr, systemErr)
}

// Memory returns the bytes of memory of the process that are resident.
func (p *Process) Memory() (float64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read the resident memory: %w", err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(data))[1])
	return float64(pages * syscall.Getpagesize()), err
}
