package receiver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// maxBody bounds one request.
const maxBody = 32 << 20

// Change is an alert that began to fire or was resolved.
type Change struct {
	At       time.Time // when it was received
	Alert    Alert
	Resolved bool
}

// Receiver is the receiving side of an Alertmanager. It remembers the alerts
// that fire; one that is resolved is forgotten, so that its re-sends are no
// longer a change. It may be used from many goroutines.
type Receiver struct {
	tell func(Change)

	mu     sync.Mutex // guards firing and serialises tell
	firing map[string]struct{}
}

// New returns a Receiver that calls tell for each change, one call at a time.
func New(tell func(Change)) *Receiver {
	return &Receiver{tell: tell, firing: make(map[string]struct{})}
}

// Handler returns the part of Alertmanager's API that senders use.
func (r *Receiver) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v2/alerts", r.serveAlerts)
	ok := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "OK") }
	mux.HandleFunc("GET /-/ready", ok)
	mux.HandleFunc("GET /-/healthy", ok)
	return mux
}

func (r *Receiver) serveAlerts(w http.ResponseWriter, req *http.Request) {
	var alerts []Alert
	if err := json.NewDecoder(http.MaxBytesReader(w, req.Body, maxBody)).Decode(&alerts); err != nil {
		http.Error(w, fmt.Sprintf("decoding alerts: %s", err), http.StatusBadRequest)
		return
	}
	now := time.Now()
	nameless := 0
	for i := range alerts {
		if len(alerts[i].Labels) == 0 {
			nameless++
			continue
		}
		r.take(&alerts[i], now)
	}
	if nameless > 0 {
		// As Alertmanager does: the others are taken all the same.
		http.Error(w, fmt.Sprintf("%d of %d alerts have no labels", nameless, len(alerts)), http.StatusBadRequest)
	}
}

// take notes the state of one alert and tells it if it is a change.
func (r *Receiver) take(a *Alert, now time.Time) {
	key, resolved := a.key(), a.resolved(now)
	r.mu.Lock()
	defer r.mu.Unlock()
	_, known := r.firing[key]
	switch {
	case resolved && known:
		delete(r.firing, key)
	case !resolved && !known:
		r.firing[key] = struct{}{}
	default:
		return
	}
	r.tell(Change{At: now, Alert: *a, Resolved: resolved})
}
