package remotewrite

import (
	"testing"
	"time"
)

func TestBackoffDoublesToItsCap(t *testing.T) {
	for n, base := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 5: maxBackoff, 1000: maxBackoff} {
		for range 20 {
			if got := backoff(time.Second, n); got < base || got > base+base/4 {
				t.Errorf("retry %d after %s, want %s to a quarter more", n, got, base)
			}
		}
	}
	if got := backoff(time.Minute, 3); got < time.Minute {
		t.Errorf("a first pause above the cap became %s", got)
	}
}
