package main

import (
	"os"
	"runtime/debug"
)

// collectPercent is how much the heap may grow between two garbage collections.
// A daemon that holds many rules and evaluates few at a time makes little
// garbage: collecting it more often than Go does by default costs little
// and saves a quarter of the memory.
const collectPercent = 25

// tuneMemory sets the pace of garbage collection, unless GOGC does.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectPercent)
	}
}
