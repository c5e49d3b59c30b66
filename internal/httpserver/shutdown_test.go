package httpserver

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestShutdownLetsRequestsEnd(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	s := serve(t, plain(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-release
		_, _ = io.WriteString(w, "done")
	}))
	got := make(chan string)
	go func() {
		_, body, err := s.get(s.client(nil), 0)
		got <- fmt.Sprint(body, err)
	}()
	<-arrived
	ended := make(chan error)
	go func() { ended <- s.Shutdown() }()
	await(t, "nothing listens any more", func() bool {
		c, err := net.Dial("tcp", s.addr(0))
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	close(release)
	if body := <-got; body != "done<nil>" {
		t.Errorf("the request under way got %s", body)
	}
	if err := <-ended; err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

// The context of requests ends before the time is up, so that those that listen
// to it can still answer.
func TestShutdownTellsRequestsBeforeItCutsThemOff(t *testing.T) {
	for _, tt := range []struct{ grace, told time.Duration }{
		{time.Second, 800 * time.Millisecond}, {time.Minute, 58 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			took, arrived := make(chan time.Duration, 1), make(chan struct{})
			o := plain()
			o.MaxGracefulShutdown = tt.grace
			s, in := serveAtPipes(t, o, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				close(arrived)
				began := time.Now()
				<-r.Context().Done()
				took <- time.Since(began)
			}))
			c := in.connect(t)
			go func() { _, _ = io.WriteString(c, getRequest); _, _ = io.Copy(io.Discard, c) }()
			<-arrived
			if err := s.Shutdown(); err != nil {
				t.Errorf("shutdown: %v", err)
			}
			if d := <-took; d != tt.told {
				t.Errorf("of %s, told after %s, want %s", tt.grace, d, tt.told)
			}
		})
	}
}

func TestShutdownCutsOffWhatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arrived, release := make(chan struct{}), make(chan struct{})
		h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			close(arrived)
			<-release
		})
		o := plain()
		o.MaxGracefulShutdown = 5 * time.Second
		s, in := serveAtPipes(t, o, h)
		c := in.connect(t)
		go func() { _, _ = io.WriteString(c, getRequest) }()
		<-arrived
		began := time.Now()
		if err := s.Shutdown(); err == nil || time.Since(began) != 5*time.Second {
			t.Errorf("shutdown: %v after %s, want an error after 5s", err, time.Since(began))
		}
		close(release)
	})
}

// Browsers and balancers keep connections in advance. net/http alone would wait
// five seconds for them.
func TestShutdownDoesNotWaitForSilentConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, in := serveAtPipes(t, plain(), hello)
		c := in.connect(t)
		began := time.Now()
		if err := s.Shutdown(); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if d := time.Since(began); d > time.Second {
			t.Errorf("it took %s", d)
		}
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the silent connection: %v, want the end", err)
		}
	})
}
