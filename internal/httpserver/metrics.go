package httpserver

import (
	"github.com/VictoriaMetrics/metrics"

	"tocsin/rules"
)

// listenerMetrics counts what happens at one address. The names are those of
// vmalert, but for the ones that begin with tocsin.
type listenerMetrics struct {
	conns                      *metrics.Gauge
	accepts, acceptErrors      *metrics.Counter
	reads, writes              *metrics.Counter
	bytesRead, bytesWritten    *metrics.Counter
	readErrors, writeErrors    *metrics.Counter
	readTimeouts               *metrics.Counter
	writeTimeouts, closeErrors *metrics.Counter
	badProxyHeaders            *metrics.Counter
}

func newListenerMetrics(set *metrics.Set, l *Listener) *listenerMetrics {
	labels := `{name="` + l.scheme() + `",addr="` + rules.EscapeLabelValue(l.Addr) + `"`
	counter := func(name string) *metrics.Counter { return set.GetOrCreateCounter(name + labels + "}") }
	failed := func(kind string) *metrics.Counter {
		return set.GetOrCreateCounter("vm_tcplistener_errors_total" + labels + `,type="` + kind + `"}`)
	}
	m := &listenerMetrics{
		conns:         set.GetOrCreateGauge("vm_tcplistener_conns"+labels+"}", nil),
		accepts:       counter("vm_tcplistener_accepts_total"),
		acceptErrors:  failed("accept"),
		reads:         counter("vm_tcplistener_read_calls_total"),
		writes:        counter("vm_tcplistener_write_calls_total"),
		bytesRead:     counter("vm_tcplistener_read_bytes_total"),
		bytesWritten:  counter("vm_tcplistener_written_bytes_total"),
		readErrors:    failed("read"),
		writeErrors:   failed("write"),
		readTimeouts:  counter("vm_tcplistener_read_timeouts_total"),
		writeTimeouts: counter("vm_tcplistener_write_timeouts_total"),
		closeErrors:   failed("close"),
	}
	if l.ProxyProtocol {
		m.badProxyHeaders = counter("tocsin_http_bad_proxy_headers_total")
	}
	return m
}

// serverMetrics counts what belongs to no single address.
type serverMetrics struct {
	aged          *metrics.Counter // connections closed for their age
	badHandshakes *metrics.Counter
	panics        *metrics.Counter
	fileErrors    *metrics.Counter
}

func newServerMetrics(set *metrics.Set) *serverMetrics {
	return &serverMetrics{
		aged:          set.GetOrCreateCounter("vm_http_conn_timeout_closed_conns_total"),
		badHandshakes: set.GetOrCreateCounter("tocsin_http_tls_handshake_errors_total"),
		panics:        set.GetOrCreateCounter("tocsin_http_panics_total"),
		fileErrors:    set.GetOrCreateCounter("tocsin_http_tls_file_errors_total"),
	}
}
