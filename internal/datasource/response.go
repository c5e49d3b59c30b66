package datasource

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"unicode"

	"github.com/klauspost/compress/gzip"

	"tocsin/rules"
)

const (
	maxErrorBody  = 16 << 10 // bytes read of the body of an error
	maxErrorShown = 512      // bytes shown of it when it is not an answer of the API
)

var gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}

// decompress returns the body of resp as it was before compression, and what to
// call when it has been read.
func decompress(resp *http.Response) (body io.Reader, done func(), err error) {
	switch encoding := strings.ToLower(resp.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
		return resp.Body, func() {}, nil
	case "gzip", "x-gzip":
		z := gzipReaders.Get().(*gzip.Reader)
		done = func() { gzipReaders.Put(z) }
		if err := z.Reset(resp.Body); err != nil {
			done()
			if err == io.EOF { // as for an empty body that is not compressed
				err = fmt.Errorf("%w, after 0 bytes", errEnded)
			}
			return nil, nil, fmt.Errorf("decompressing the answer: %w", err)
		}
		return z, done, nil
	default:
		return nil, nil, fmt.Errorf("answer is encoded as %q", encoding)
	}
}

// refusal returns the error that an answer with an error status stands for, and
// reads the answer.
func refusal(resp *http.Response, s service, body io.Reader) error {
	b, _ := io.ReadAll(io.LimitReader(body, maxErrorBody)) // part of a reason is better than none
	drain(resp)
	status := resp.StatusCode
	text := oneLine(b)
	var remote *remoteError
	if _, err := s.decode(bytes.NewReader(b), maxErrorBody); errors.As(err, &remote) && remote.text != "" {
		text = remote.Error()
	}
	if text == "" {
		text = http.StatusText(status)
	}
	if status == http.StatusBadRequest || status == http.StatusUnprocessableEntity {
		return fmt.Errorf("answered %d: %w: %s", status, rules.ErrRejected, text)
	}
	return fmt.Errorf("answered %d: %s", status, text)
}

// explain adds to the error of decoding what the response says about it.
func explain(resp *http.Response, err error) error {
	var remote *remoteError
	if errors.As(err, &remote) {
		if remote.rejected() {
			return fmt.Errorf("answered an error: %w: %w", rules.ErrRejected, err)
		}
		return fmt.Errorf("answered an error: %w", err)
	}
	if kind := resp.Header.Get("Content-Type"); kind != "" && !strings.Contains(kind, "json") {
		return fmt.Errorf("answered %d with content of type %q: %w", resp.StatusCode, kind, err)
	}
	return fmt.Errorf("answered %d: %w", resp.StatusCode, err)
}

// drain reads what is left of a short body, so that its connection is used again.
func drain(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, maxErrorBody) // a body that is longer or broken costs its connection
	resp.Body.Close()
}

// oneLine makes the start of a body fit for a line of a log.
func oneLine(b []byte) string {
	cut := len(b) > maxErrorShown
	s := strings.ToValidUTF8(string(b[:min(len(b), maxErrorShown)]), "")
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	if cut {
		s += "..."
	}
	return s
}
