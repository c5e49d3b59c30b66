package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"tocsin/internal/e2e/servers"
	"tocsin/internal/faults/plan"
)

// daemonCommand is how the daemon under trial is started.
type daemonCommand struct {
	servers.Command
	url     string
	journal string // folder of its journal; "" if it has none
	files   []string
}

// help is what a daemon says of its flags.
type help string

// readHelp asks the daemon at path which flags it has.
func readHelp(ctx context.Context, path string) (help, error) {
	// The exit code of -help differs between daemons.
	text, err := exec.CommandContext(ctx, path, "-help").CombinedOutput()
	if len(text) == 0 {
		return "", fmt.Errorf("ask %s for its flags: %w", path, err)
	}
	return help(text), nil
}

// has reports whether there is a flag of that name.
func (h help) has(flag string) bool {
	return regexp.MustCompile(`(?m)^\s*--?` + regexp.QuoteMeta(flag) + `\b[^.]`).MatchString(string(h))
}

// newDaemonCommand writes the rule files into the folder of the stage and returns
// the command of the daemon at path, with those of the flags that it has.
func newDaemonCommand(ctx context.Context, o *options, s *stage, name, path string) (*daemonCommand, error) {
	path, err := exec.LookPath(path)
	if err != nil {
		return nil, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	h, err := readHelp(ctx, path)
	if err != nil {
		return nil, err
	}
	addr, err := servers.FreeAddr()
	if err != nil {
		return nil, err
	}
	d := &daemonCommand{url: "http://" + addr}
	if h.has("storage.path") {
		d.journal = filepath.Join(s.dir, "journal")
		if err := os.MkdirAll(d.journal, 0o755); err != nil {
			return nil, err
		}
	}
	d.Command = servers.Command{
		Name: name, Path: path, Dir: s.dir, ReadyURL: d.url + "/health",
		Args: append(flags(o, s, h, d), "-httpListenAddr="+addr, "-rule="+filepath.Join(s.dir, "*.rules.yml")),
		Env:  []string{"HOME=" + s.dir},
	}
	for i := range s.world.Groups {
		d.files = append(d.files, filepath.Join(s.dir, fmt.Sprintf("%02d.rules.yml", i)))
	}
	return d, d.writeRules(s, 0)
}

// flags returns the arguments that daemons may differ in.
func flags(o *options, s *stage, h help, d *daemonCommand) []string {
	args := []string{
		"-evaluationInterval=" + o.world.Interval.String(),
		"-datasource.url=" + s.proxies[plan.Datasource].URL(),
		"-remoteWrite.url=" + s.proxies[plan.Storage].URL(),
		"-remoteRead.url=" + s.proxies[plan.Storage].URL(),
		"-remoteWrite.flushInterval=1s", "-rule.resendDelay=" + resendDelay.String(),
	}
	for _, t := range alertmanagers {
		args = append(args, "-notifier.url="+s.proxies[t].URL())
	}
	if h.has("rule.evalDelay") {
		args = append(args, "-rule.evalDelay="+evalDelay.String())
	} else {
		args = append(args, "-datasource.lookback="+evalDelay.String())
	}
	if h.has("group.maxStartDelay") {
		args = append(args, "-group.maxStartDelay="+o.world.Interval.String())
	}
	if d.journal != "" {
		args = append(args, "-storage.path="+d.journal)
	}
	return args
}

// writeRules puts an edition of the rules in place, each file at once.
func (d *daemonCommand) writeRules(s *stage, edition int) error {
	for i, path := range d.files {
		text := s.world.RuleFile(&s.world.Groups[i], edition)
		if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
			return fmt.Errorf("write the rules: %w", err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			return fmt.Errorf("write the rules: %w", err)
		}
	}
	return nil
}
