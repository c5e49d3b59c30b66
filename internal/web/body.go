package web

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

const (
	bodyBuffer = 64 << 10 // bytes held back before any is sent
	bodyFull   = bodyBuffer * 3 / 4
	minGzip    = 1400 // bytes; less fits in one packet anyway
)

// body is an answer in the making. Renderers append to buf and call flush now
// and then; an answer that fits in the buffer gets a Content-Length, a longer
// one leaves in chunks, compressed if the client takes that.
type body struct {
	buf []byte

	w        http.ResponseWriter
	home     *sync.Pool
	status   int // 0 is 200
	compress bool
	started  bool
	gz       *gzip.Writer // kept for the next answer
	err      error        // of sending; the rest is dropped
}

// open begins an answer of status 200.
func (s *Server) open(w http.ResponseWriter, r *http.Request, contentType string) *body {
	b := s.bodies.Get().(*body)
	b.w, b.home = w, &s.bodies
	b.compress = !s.opts.DisableCompression && acceptsGzip(r.Header.Get("Accept-Encoding"))
	w.Header().Set("Content-Type", contentType)
	return b
}

// close sends what is left and gives b back; it must not be used afterwards.
func (b *body) close() {
	if !b.started {
		b.startWhole()
	}
	b.send()
	if b.compress && b.err == nil {
		b.err = b.gz.Close()
	}
	if cap(b.buf) > 4*bodyBuffer {
		b.buf = make([]byte, 0, bodyBuffer) // one huge item must not stay in memory
	}
	if b.gz != nil {
		b.gz.Reset(io.Discard) // lets go of the connection
	}
	home := b.home
	*b = body{buf: b.buf[:0], gz: b.gz}
	home.Put(b)
}

// flush sends the buffer if it is nearly full, and reports whether going on is
// of use: it is not once the client has gone.
func (b *body) flush() bool {
	if len(b.buf) >= bodyFull {
		if !b.started {
			b.start()
		}
		b.send()
	}
	return b.err == nil
}

// Write appends p, for renderers that want an io.Writer.
func (b *body) Write(p []byte) (int, error) {
	b.buf = append(b.buf, p...)
	b.flush()
	return len(p), b.err
}

// startWhole begins an answer whose whole is in the buffer.
func (b *body) startWhole() {
	if len(b.buf) < minGzip {
		b.compress = false
	}
	if !b.compress {
		b.w.Header().Set("Content-Length", strconv.Itoa(len(b.buf)))
	}
	b.start()
}

func (b *body) start() {
	b.started = true
	h := b.w.Header()
	h.Add("Vary", "Accept-Encoding")
	if b.compress {
		h.Set("Content-Encoding", "gzip")
		if b.gz == nil {
			b.gz, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // errors are for levels out of range
		}
		b.gz.Reset(b.w)
	}
	if b.status != 0 {
		b.w.WriteHeader(b.status)
	}
}

func (b *body) send() {
	if b.err == nil && len(b.buf) > 0 {
		if b.compress {
			_, b.err = b.gz.Write(b.buf)
		} else {
			_, b.err = b.w.Write(b.buf)
		}
	}
	b.buf = b.buf[:0]
}

// acceptsGzip reports whether an Accept-Encoding header allows gzip.
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		q, found := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		if !found {
			return true
		}
		v, err := strconv.ParseFloat(q, 64)
		return err == nil && v > 0
	}
	return false
}
