package main

import (
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

const (
	// collectPercent is how much the heap may grow between two garbage collections.
	// A daemon that holds many rules and evaluates few at a time makes little
	// garbage: collecting it more often than Go does by default costs little
	// and saves a fifth of the memory.
	collectPercent = 20
	// profileEvery is how many bytes are allocated between two samples of the heap
	// profile. At Go's default of 512 KiB the profile alone takes a megabyte.
	profileEvery = 4 << 20
	// startup is how long after the daemon is ready it still does what it does only
	// once.
	startup = 5 * time.Second
)

// tuneMemory sets the pace of garbage collection, unless GOGC does, and of the
// heap profile. It is called before anything else.
func tuneMemory() {
	runtime.MemProfileRate = profileEvery
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectPercent)
	}
}

// forgetStartup gives back the memory of the program's own file which was needed
// for starting only: a third of what a daemon with few rules takes.
func forgetStartup(log *slog.Logger) {
	time.AfterFunc(startup, func() {
		if err := releaseProgram(); err != nil {
			log.Info("memory of the program's file is not given back", "reason", err)
		}
	})
}
