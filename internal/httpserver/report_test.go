package httpserver

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// A port scanner fails a hundred handshakes in a minute.
func TestWhatClientsCauseIsLoggedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, set := newLogBook(), metrics.NewSet()
		r := newReporter(log.logger(), newServerMetrics(set))
		for range 100 {
			r.logger().Print("http: TLS handshake error from 192.0.2.1:1: tls: unsupported")
		}
		if n := log.count("TLS handshake failed"); n != 1 {
			t.Errorf("logged %d times", n)
		}
		time.Sleep(quiet)
		r.logger().Print("http: TLS handshake error from 192.0.2.1:1: tls: unsupported")
		if log.count("TLS handshake failed") != 2 || log.count("unsaid=99") != 1 {
			t.Errorf("after a while:\n%s", log)
		}
		s := &served{t: t, metrics: set}
		if n := s.metric("tocsin_http_tls_handshake_errors_total"); n != 101 {
			t.Errorf("%v counted", n)
		}
	})
}

func TestProbesOfTLSPortsAreCountedOnly(t *testing.T) {
	log, set := newLogBook(), metrics.NewSet()
	r := newReporter(log.logger(), newServerMetrics(set))
	r.logger().Print("http: TLS handshake error from 192.0.2.1:1: EOF")
	r.logger().Print("http: TLS handshake error from 192.0.2.1:1: read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer")
	s := &served{t: t, metrics: set}
	if n := s.metric("tocsin_http_tls_handshake_errors_total"); n != 2 || log.String() != "" {
		t.Errorf("%v counted, log:\n%s", n, log)
	}
}

func TestOtherComplaintsAreWarnings(t *testing.T) {
	log := newLogBook()
	newReporter(log.logger(), newServerMetrics(metrics.NewSet())).logger().Print("http: Accept error: too many open files; retrying in 5ms")
	if log.count("level=WARN") != 1 || log.count("too many open files") != 1 {
		t.Errorf("log:\n%s", log)
	}
}
