package httpserver

import (
	"bytes"
	"log"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// quiet is how long nothing more is said about what any client can cause.
const quiet = time.Minute

// reporter tells of what is wrong with connections and requests.
type reporter struct {
	log     *slog.Logger
	metrics *serverMetrics

	handshakes *seldom
	others     *seldom
}

func newReporter(log *slog.Logger, m *serverMetrics) *reporter {
	r := &reporter{log: log, metrics: m}
	r.handshakes = r.seldom("TLS handshake failed")
	r.others = r.seldom("connection has a problem")
	return r
}

// seldom returns a warning to be said at most once in a while.
func (r *reporter) seldom(message string, facts ...any) *seldom {
	return &seldom{log: r.log.With(facts...), message: message}
}

// logger returns the logger of a http.Server, which writes whole messages.
func (r *reporter) logger() *log.Logger { return log.New(r, "", 0) }

// Write takes a message of net/http. It tells them apart by their text, as there
// is no other way.
func (r *reporter) Write(text []byte) (int, error) {
	message := string(bytes.TrimSpace(text))
	switch {
	case bytes.Contains(text, []byte("TLS handshake error")):
		r.metrics.badHandshakes.Inc()
		if !isProbe(message) {
			r.handshakes.say("error", message)
		}
	case bytes.HasPrefix(text, []byte("http: panic serving")):
		r.metrics.panics.Inc()
		r.log.Error("request ended in a panic", "error", message)
	default:
		r.others.say("error", message)
	}
	return len(text), nil
}

// isProbe reports whether a handshake failed because the client hung up, as those
// do that only look whether the port is open.
func isProbe(message string) bool {
	return strings.HasSuffix(message, ": EOF") || strings.HasSuffix(message, ": connection reset by peer")
}

// seldom is a warning about what may happen very often.
type seldom struct {
	log     *slog.Logger
	message string

	mu     sync.Mutex // guards the fields below
	said   time.Time
	unsaid int
}

// say logs the warning with the given facts, unless it was logged a short while
// ago; the next one says how many were left out.
func (s *seldom) say(facts ...any) {
	s.mu.Lock()
	now, unsaid := time.Now(), s.unsaid
	if !s.said.IsZero() && now.Sub(s.said) < quiet {
		s.unsaid++
		s.mu.Unlock()
		return
	}
	s.said, s.unsaid = now, 0
	s.mu.Unlock()
	if unsaid > 0 {
		facts = append(facts, "unsaid", unsaid)
	}
	s.log.Warn(s.message, facts...)
}
