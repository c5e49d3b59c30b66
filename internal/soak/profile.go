package main

import (
	"fmt"
	"os"

	"tocsin/internal/bench/daemon"
)

// profileSeconds is how long a profile lasts.
const profileSeconds = 10

// startProfile has a CPU profile of the process written to path, if that is not
// empty. The caller must wait for the profile.
func startProfile(p *daemon.Process, path string) (wait func() error) {
	if path == "" {
		return func() error { return nil }
	}
	done := make(chan error, 1)
	go func() {
		body, err := p.Get(fmt.Sprintf("/debug/pprof/profile?seconds=%d", profileSeconds))
		if err == nil {
			err = os.WriteFile(path, body, 0o644)
		}
		done <- err
	}()
	return func() error { return <-done }
}
