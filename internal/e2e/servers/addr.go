package servers

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
)

// lastPort is the port given out last. Ports come from below the range from
// which the system takes those of outgoing connections, so that none is taken
// between being chosen and being listened on.
var lastPort atomic.Int32

// FreeAddr returns a loopback address nobody listens on.
func FreeAddr() (string, error) {
	const first, count = 12000, 18000
	// Processes that choose at the same time choose far from each other.
	lastPort.CompareAndSwap(0, 1+rand.Int32N(count))
	for range count {
		addr := fmt.Sprintf("127.0.0.1:%d", first+lastPort.Add(1)%count)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		return addr, l.Close()
	}
	return "", errors.New("no free port")
}
