package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// figures are what one program needed for one scenario.
type figures struct {
	cpu     time.Duration
	memory  float64 // resident bytes at the end
	elapsed time.Duration
	done    string
}

// process is a program under measurement.
type process struct {
	cmd    *exec.Cmd
	addr   string
	output bytes.Buffer
}

// runOne measures the program at path at s.
func (b *bench) runOne(s scenario, path string, ours bool) (f figures, err error) {
	dir, err := os.MkdirTemp(b.dir, "run")
	if err != nil {
		return f, err
	}
	pattern, err := s.write(dir)
	if err != nil {
		return f, err
	}
	st, err := newStub(s.series)
	if err != nil {
		return f, err
	}
	defer st.close()
	began := time.Now()
	p, err := b.start(path, pattern, st.url, ours)
	if err != nil {
		return f, err
	}
	defer p.kill()
	if err := p.awaitRules(s.rules()); err != nil {
		return f, fmt.Errorf("%w\n%s", err, p.output.String())
	}
	f.elapsed = time.Since(began)
	switch s.kind {
	case startup:
		f.cpu = p.cpu()
		f.memory = p.memory()
		f.done = fmt.Sprintf("%d rules in the API", s.rules())
		return f, nil
	case api:
		// Every group has been evaluated after two intervals.
		time.Sleep(22 * time.Second)
		return p.latency()
	}
	time.Sleep(22 * time.Second)
	cpu, q, n, w := p.cpu(), st.queries.Load(), st.posts.Load(), st.writes.Load()
	stopProfile := b.startProfile(p, s, ours)
	time.Sleep(b.measure)
	f.cpu, f.memory = p.cpu()-cpu, p.memory()
	f.done = fmt.Sprintf("%d queries, %d posts of alerts, %d writes", st.queries.Load()-q, st.posts.Load()-n, st.writes.Load()-w)
	return f, stopProfile()
}

func (b *bench) start(path, rules, stub string, ours bool) (*process, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := ln.Addr().String()
	if err := ln.Close(); err != nil {
		return nil, err
	}
	p := &process{addr: addr}
	p.cmd = exec.Command(path, "-rule="+rules, "-datasource.url="+stub, "-notifier.url="+stub,
		"-remoteWrite.url="+stub, "-httpListenAddr="+addr, "-external.label=env=bench")
	p.cmd.Dir = b.dir
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	return p, p.cmd.Start()
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// awaitRules returns when the API lists want rules.
func (p *process) awaitRules(want int) error {
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		var body []byte
		if body, err = p.get("/api/v1/rules"); err != nil {
			continue
		}
		var reply struct {
			Data struct {
				Groups []struct{ Rules []json.RawMessage }
			}
		}
		if err = json.Unmarshal(body, &reply); err != nil {
			continue
		}
		n := 0
		for _, g := range reply.Data.Groups {
			n += len(g.Rules)
		}
		if n == want {
			return nil
		}
		err = fmt.Errorf("%d rules in the API, want %d", n, want)
	}
	return err
}

func (p *process) get(path string) ([]byte, error) {
	resp, err := http.Get("http://" + p.addr + path)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, errors.New(resp.Status)
	}
	return io.ReadAll(resp.Body)
}

// latency returns the median time of /api/v1/rules.
func (p *process) latency() (f figures, err error) {
	var took []time.Duration
	for range 30 {
		start := time.Now()
		body, err := p.get("/api/v1/rules")
		if err != nil {
			return f, err
		}
		took = append(took, time.Since(start))
		f.done = fmt.Sprintf("%d bytes", len(body))
	}
	slices.Sort(took)
	f.elapsed = took[len(took)/2]
	return f, nil
}

// cpu returns the CPU time the process has used.
func (p *process) cpu() time.Duration {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	// Fields are counted after the command, which is in parentheses.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	const ticksPerSecond = 100
	return time.Duration(user+system) * time.Second / ticksPerSecond
}

// memory returns the resident memory of the process in bytes.
func (p *process) memory() float64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	pages, _ := strconv.Atoi(strings.Fields(string(data))[1])
	return float64(pages * syscall.Getpagesize())
}

// startProfile takes a CPU profile of tocsin beside the measurement, if wanted.
func (b *bench) startProfile(p *process, s scenario, ours bool) (stop func() error) {
	if b.profile == "" || !ours {
		return func() error { return nil }
	}
	done := make(chan error, 1)
	go func() {
		seconds := max(int(b.measure.Seconds())-2, 1)
		body, err := p.get(fmt.Sprintf("/debug/pprof/profile?seconds=%d", seconds))
		if err == nil {
			name := strings.NewReplacer("/", "_", " ", "_", ",", "").Replace(s.name)
			err = os.WriteFile(filepath.Join(b.profile, name+".pprof"), body, 0o644)
		}
		done <- err
	}()
	return func() error { return <-done }
}
