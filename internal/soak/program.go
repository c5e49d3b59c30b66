package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"

	"tocsin/internal/bench/daemon"
)

// program is one of the two programs, and how it is reloaded.
type program struct {
	name, binary string
	args         []string
	reloads      int
	// baseline is the reload after which what it holds on to is compared with the
	// end; 0 is never.
	baseline int
	profile  string // where to write a CPU profile; empty for none
	// reload has the rule files loaded again and returns when that is done: nil if
	// they are in force, errRefused if they are not.
	reload func(context.Context, *daemon.Process, *logbook) error
}

// errRefused is a reload of bad rule files.
var errRefused = errors.New("the rule files were refused")

func tocsin(s *soak) program {
	return program{
		name: "tocsin", binary: s.tocsin, reloads: s.reloads, baseline: baseline(s.reloads),
		reload: reloadByHTTP, profile: s.profile,
		args: []string{
			"-evaluationInterval=" + s.interval.String(),
			// A longer history grows for as many rounds, and each connection that was
			// needed once has buffers: both would look like leaks.
			"-rule.updateEntriesLimit=1", "-datasource.idleConnTimeout=5s", "-remoteWrite.idleConnTimeout=5s",
		},
	}
}

func vmalert(s *soak) program {
	return program{
		name: "vmalert", binary: s.vmalert, reloads: s.vmalertReloads, reload: reloadBySignal,
		args: []string{"-evaluationInterval=" + s.interval.String()},
	}
}

// baseline returns after which reload nothing is to be added any more. What a
// refused reload leaves is there by then.
func baseline(reloads int) int { return max(reloads/10, refusedFirst+1) }

// reloadByHTTP reloads tocsin, which answers when it is done.
func reloadByHTTP(ctx context.Context, p *daemon.Process, _ *logbook) error {
	status, body, err := p.Post(ctx, "/-/reload")
	switch {
	case err != nil:
		return err
	case status == http.StatusInternalServerError:
		return fmt.Errorf("%w: %s", errRefused, body)
	case status != http.StatusOK:
		return fmt.Errorf("/-/reload answers %d: %s", status, body)
	}
	return nil
}

// reloadBySignal reloads vmalert, which logs when it is done.
func reloadBySignal(ctx context.Context, p *daemon.Process, log *logbook) error {
	const done, refused = "Rules reloaded successfully", "cannot parse configuration file"
	line := log.await(done, refused)
	if err := p.Signal(syscall.SIGHUP); err != nil {
		return err
	}
	select {
	case text := <-line:
		if strings.Contains(text, refused) {
			return fmt.Errorf("%w: %s", errRefused, text)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("await the end of the reload in the log: %w", ctx.Err())
	}
}
