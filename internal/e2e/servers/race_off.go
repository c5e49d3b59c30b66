//go:build !race

package servers

// raceEnabled tells whether this program was built with the race detector.
const raceEnabled = false
