package httpx

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/iotest"
)

func TestPayloadIsReadAsOftenAsItIsSent(t *testing.T) {
	const text = "samples"
	req := &http.Request{}
	NewPayload([]byte(text)).Attach(req)
	if req.ContentLength != int64(len(text)) {
		t.Errorf("content length is %d", req.ContentLength)
	}
	again, err := req.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []io.Reader{req.Body, again} {
		if err := iotest.TestReader(body, []byte(text)); err != nil {
			t.Error(err)
		}
	}
}

func TestReclaimedPayloadIsNotRead(t *testing.T) {
	req := &http.Request{}
	p := NewPayload([]byte("alerts"))
	p.Attach(req)
	buf := make([]byte, 3)
	if n, err := req.Body.Read(buf); n != 3 || err != nil {
		t.Fatalf("read %d, %v", n, err)
	}
	p.Reclaim()
	again, err := req.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []io.Reader{req.Body, again} {
		if n, err := body.Read(buf); n != 0 || !errors.Is(err, errReclaimed) {
			t.Errorf("read %d, %v after the end", n, err)
		}
	}
}
