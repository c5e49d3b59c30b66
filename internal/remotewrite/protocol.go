package remotewrite

import "net/http"

// protocol is how a block is put on the wire.
type protocol int32

// In the order in which they are tried.
const (
	victoriaMetrics protocol = iota // remote write 1.0, but compressed with zstd
	prometheus1                     // remote write 1.0, with snappy
	prometheus2                     // remote write 2.0, with snappy
)

func (p protocol) String() string {
	return [...]string{"VictoriaMetrics remote write", "Prometheus remote write 1.0", "Prometheus remote write 2.0"}[p]
}

// setHeaders tells storage what the body of a request is.
func (p protocol) setHeaders(h http.Header) {
	h.Set("User-Agent", "tocsin")
	contentType, encoding := "application/x-protobuf", "snappy"
	switch p {
	case victoriaMetrics:
		encoding = "zstd"
		h.Set("X-VictoriaMetrics-Remote-Write-Version", "1")
	case prometheus1:
		h.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	case prometheus2:
		contentType += ";proto=io.prometheus.write.v2.Request"
		h.Set("X-Prometheus-Remote-Write-Version", "2.0.0")
	}
	h.Set("Content-Type", contentType)
	h.Set("Content-Encoding", encoding)
}

// alternative returns the protocol to try next if status may mean that storage
// does not understand p. Storage of before 2.0 answers 400 as well as 415 to a
// compression it does not know. Remote write 2.0 comes last, although it could
// name the samples it refuses: it is tried only where 1.0 is turned away, since
// all the others take 1.0, and too many take 2.0 for an empty request.
func (p protocol) alternative(status int) (next protocol, ok bool) {
	unsupported := status == http.StatusUnsupportedMediaType
	switch p {
	case victoriaMetrics:
		return prometheus1, unsupported || status == http.StatusBadRequest
	case prometheus1:
		return prometheus2, unsupported
	default:
		return prometheus1, unsupported
	}
}
