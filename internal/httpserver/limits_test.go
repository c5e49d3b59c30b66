package httpserver

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestSlowHeaderIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, in := serveAtPipes(t, plain(), hello)
		c := in.connect(t)
		began := time.Now()
		wrote := make(chan struct{})
		go func() {
			defer close(wrote)
			for i := 0; ; i++ { // one byte a second keeps nothing open
				if _, err := fmt.Fprintf(c, "%c", "GET / HTTP/1.1\r\nX: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"[i]); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		_, _ = io.Copy(io.Discard, c)
		if d := time.Since(began); d != headerTimeout {
			t.Errorf("cut off after %s, want %s", d, headerTimeout)
		}
		c.Close()
		<-wrote
		if n := s.metric("vm_tcplistener_read_timeouts_total"); n != 1 {
			t.Errorf("%v timeouts counted", n)
		}
	})
}

func TestSlowBodyIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		read := make(chan error, 1)
		h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, err := io.Copy(io.Discard, r.Body)
			read <- err
		})
		_, in := serveAtPipes(t, plain(), h)
		c := in.connect(t)
		began := time.Now()
		go func() { _, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: tocsin\r\nContent-Length: 10\r\n\r\nabc") }()
		go func() { _, _ = io.Copy(io.Discard, c) }()
		if err := <-read; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != bodyTimeout {
			t.Errorf("reading the body ended with %v after %s", err, time.Since(began))
		}
		c.Close()
	})
}

// A deadline that stays in place would end the context of a handler that works
// for long, such as a profile of a minute.
func TestHandlerMayWorkLongAfterTheBodyCame(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
			w.WriteHeader(http.StatusTeapot)
		case <-time.After(10 * bodyTimeout):
		}
	})
	synctest.Test(t, func(t *testing.T) {
		_, in := serveAtPipes(t, plain(), h)
		c := in.connect(t)
		answers := bufio.NewReader(c)
		if resp := ask(t, c, answers, "POST / HTTP/1.1\r\nHost: tocsin\r\nContent-Length: 3\r\n\r\nabc"); resp.StatusCode != http.StatusOK {
			t.Errorf("got %d, as the context ended early", resp.StatusCode)
		}
		ask(t, c, answers, strings.Replace(getRequest, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1))
	})
}

func TestClientThatReadsNothingIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wrote := make(chan error, 1)
		h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					wrote <- err
					return
				}
			}
		})
		s, in := serveAtPipes(t, plain(), h)
		c := in.connect(t)
		if _, err := io.WriteString(c, getRequest); err != nil {
			t.Fatal(err)
		}
		// Slow but alive: a little now and then keeps the answer coming.
		for range 5 {
			time.Sleep(writeStall - time.Second)
			if _, err := io.ReadFull(c, make([]byte, 64<<10)); err != nil {
				t.Fatalf("a slow client is cut off: %v", err)
			}
		}
		began := time.Now()
		<-wrote
		if d := time.Since(began); d > writeStall {
			t.Errorf("cut off after %s", d)
		}
		if n := s.metric("vm_tcplistener_write_timeouts_total"); n != 1 {
			t.Errorf("%v timeouts counted", n)
		}
		c.Close()
	})
}

func TestSlowClientGetsAllOfALongAnswer(t *testing.T) {
	const length = 8 * writePiece
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, length)) })
	synctest.Test(t, func(t *testing.T) {
		s, in := serveAtPipes(t, plain(), h)
		c := in.connect(t)
		if _, err := io.WriteString(c, getRequest); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		for read := 0; read < length; read += writePiece {
			time.Sleep(writeStall / 3)
			if _, err := io.CopyN(io.Discard, answer.Body, writePiece); err != nil {
				t.Fatalf("cut off after %d bytes of %d: %v", read, length, err)
			}
		}
		if n := s.metric("vm_tcplistener_write_timeouts_total"); n != 0 {
			t.Errorf("%v timeouts counted", n)
		}
		c.Close()
	})
}

func TestHugeHeaderIsRefused(t *testing.T) {
	s := serve(t, plain(), hello)
	c := s.dial()
	go func() {
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: tocsin\r\nX: "+strings.Repeat("x", 2*maxHeaderBytes)+"\r\n\r\n")
	}()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("got %d", resp.StatusCode)
	}
}

func TestIdleConnectionIsClosed(t *testing.T) {
	o := plain()
	o.IdleConnTimeout = time.Minute
	synctest.Test(t, func(t *testing.T) {
		_, in := serveAtPipes(t, o, hello)
		c := in.connect(t)
		answers := bufio.NewReader(c)
		ask(t, c, answers, getRequest)
		began := time.Now()
		if _, err := answers.ReadByte(); err != io.EOF {
			t.Errorf("got %v, want the end", err)
		}
		if d := time.Since(began); d != time.Minute {
			t.Errorf("closed after %s", d)
		}
	})
}
