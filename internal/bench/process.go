package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tocsin/internal/bench/daemon"
)

// figures are what one program needed for one scenario.
type figures struct {
	cpu     time.Duration
	memory  float64 // resident bytes at the end
	elapsed time.Duration
	disk    float64 // bytes in the folder of the journal at the end
	done    string
}

// subject is a program to be measured.
type subject struct {
	path string
	ours bool
	args []string
}

// warmUp is after how long every group has been evaluated: two intervals and some.
const warmUp = 22 * time.Second

// runOne measures a program at s.
func (b *bench) runOne(s scenario, who subject) (f figures, err error) {
	dir, err := os.MkdirTemp(b.dir, "run")
	if err != nil {
		return f, err
	}
	pattern, err := s.write(dir)
	if err != nil {
		return f, err
	}
	st, err := daemon.NewStub(s.series)
	if err != nil {
		return f, err
	}
	defer st.Close()
	began := time.Now()
	var output bytes.Buffer
	p, err := daemon.Start(context.Background(), daemon.Command{
		Binary: who.path, Dir: dir, Rules: pattern, Args: who.args, Output: &output,
	}, st.URL)
	if err != nil {
		return f, err
	}
	defer p.Kill()
	if err := p.AwaitRules(s.rules()); err != nil {
		p.Kill() // its output is complete then
		return f, fmt.Errorf("%w\n%s", err, output.String())
	}
	f.elapsed = time.Since(began)
	switch s.kind {
	case startup:
		f.done = fmt.Sprintf("%d rules in the API", s.rules())
		err := f.measure(p)
		return f, err
	case api:
		time.Sleep(warmUp)
		return latency(p)
	}
	time.Sleep(warmUp)
	if err := b.steady(&f, p, st, b.startProfile(p, s, who.ours)); err != nil {
		return f, err
	}
	f.disk, err = folderSize(filepath.Join(dir, "tocsin-data"))
	return f, err
}

// folderSize returns the bytes of the files in a folder, which may be missing.
func folderSize(path string) (size float64, err error) {
	files, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	for _, f := range files {
		info, err := f.Info()
		if err == nil {
			size += float64(info.Size())
		}
	}
	return size, err
}

// steady measures the rounds of some time.
func (b *bench) steady(f *figures, p *daemon.Process, st *daemon.Stub, stopProfile func() error) error {
	before, err := p.CPU()
	if err != nil {
		return err
	}
	q, n, w := st.Queries.Load(), st.Posts.Load(), st.Writes.Load()
	time.Sleep(b.measure)
	if err := f.measure(p); err != nil {
		return err
	}
	f.cpu -= before
	f.done = fmt.Sprintf("%d queries, %d posts of alerts, %d writes", st.Queries.Load()-q, st.Posts.Load()-n, st.Writes.Load()-w)
	return stopProfile()
}

// measure takes what the process has used so far.
func (f *figures) measure(p *daemon.Process) (err error) {
	if f.cpu, err = p.CPU(); err != nil {
		return err
	}
	f.memory, err = p.Memory()
	return err
}

// latency returns the median time of /api/v1/rules.
func latency(p *daemon.Process) (f figures, err error) {
	var took []time.Duration
	for range 30 {
		start := time.Now()
		body, err := p.Get("/api/v1/rules")
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

// startProfile takes a CPU profile of tocsin beside the measurement, if wanted.
func (b *bench) startProfile(p *daemon.Process, s scenario, ours bool) (stop func() error) {
	if b.profile == "" || !ours {
		return func() error { return nil }
	}
	done := make(chan error, 1)
	go func() {
		seconds := max(int(b.measure.Seconds())-2, 1)
		body, err := p.Get(fmt.Sprintf("/debug/pprof/profile?seconds=%d", seconds))
		if err == nil {
			name := strings.NewReplacer("/", "_", " ", "_", ",", "").Replace(s.name)
			err = os.WriteFile(filepath.Join(b.profile, name+".pprof"), body, 0o644)
		}
		done <- err
	}()
	return func() error { return <-done }
}
