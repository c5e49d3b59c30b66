package httpx

import (
	"errors"
	"io"
	"net/http"
	"sync"
)

var errReclaimed = errors.New("request body read after the request has ended")

// Payload lends a buffer to the bodies of one request, which may be sent more than
// once, and takes it back. A transport may go on reading a body after it has
// returned, in a goroutine of its own; without this, it would send what the buffer is
// used for next.
type Payload struct {
	mu   sync.Mutex // guards the fields below
	data []byte
	gone bool
}

// NewPayload lends data, which is not to be changed until Reclaim.
func NewPayload(data []byte) *Payload { return &Payload{data: data} }

// Attach makes p what req sends, however often it is sent.
func (p *Payload) Attach(req *http.Request) {
	req.Body = p.body()
	req.GetBody = func() (io.ReadCloser, error) { return p.body(), nil }
	req.ContentLength = int64(len(p.data))
}

// Reclaim ends the loan: bodies that are still read fail, and the buffer may be used
// for something else. It is called when the answer has been read.
func (p *Payload) Reclaim() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.data, p.gone = nil, true
}

func (p *Payload) body() io.ReadCloser { return &payloadBody{payload: p} }

type payloadBody struct {
	payload *Payload
	offset  int // read so far
}

func (b *payloadBody) Read(dst []byte) (int, error) {
	p := b.payload
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return 0, errReclaimed
	}
	n := copy(dst, p.data[b.offset:])
	b.offset += n
	if n == 0 && len(dst) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (b *payloadBody) Close() error { return nil }
