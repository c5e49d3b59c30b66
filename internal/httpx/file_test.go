package httpx

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var errNoAnswer = errors.New("no answer")

// slowFile is a file that is read in so much time, with that outcome. asked counts.
func slowFile(takes time.Duration, text string, err error, asked *int) *file {
	f := newFile("http://secrets/token")
	f.read = func(ctx context.Context, _ string) (string, error) {
		*asked++
		select {
		case <-time.After(takes):
			return text, err
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	return f
}

func TestThoseWhoWaitForAFileShareItsOutcome(t *testing.T) {
	for _, want := range []error{nil, errNoAnswer} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			f := slowFile(addressTimeout, "token", want, &asked)
			began := time.Now()
			var waiting sync.WaitGroup
			for range 4 {
				waiting.Go(func() {
					if _, err := f.get(t.Context()); !errors.Is(err, want) {
						t.Errorf("got %v, want %v", err, want)
					}
					if took := time.Since(began); took != addressTimeout {
						t.Errorf("waited for %s", took)
					}
				})
			}
			waiting.Wait()
			if asked != 1 {
				t.Errorf("asked %d times", asked)
			}
		})
	}
}

func TestWaitingForAFileEndsWithTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		f := slowFile(3*time.Second, "token", nil, &asked)
		go f.get(t.Context())
		synctest.Wait()
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := f.get(short)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "wait until http://secrets/token is read") {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("waited for %s", took)
		}
		if text, err := f.get(t.Context()); text != "token" || err != nil || asked != 1 {
			t.Errorf("afterwards: %q, %v, asked %d times", text, err, asked)
		}
	})
}

func TestRequestThatEndsWhileAFileIsReadSpoilsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		f := slowFile(3*time.Second, "token", nil, &asked)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := f.get(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if text, err := f.get(t.Context()); text != "token" || err != nil || asked != 2 {
			t.Errorf("afterwards: %q, %v, asked %d times", text, err, asked)
		}
	})
}

// hanging answers with text until hang; then it tells of each request and answers none.
type hanging struct {
	*httptest.Server
	hangs atomic.Bool
	asked chan struct{}
}

func newHanging(t *testing.T, text string) *hanging {
	h := &hanging{asked: make(chan struct{}, 1)}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !h.hangs.Load() {
			_, _ = w.Write([]byte(text))
			return
		}
		h.asked <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(h.Close)
	return h
}

func TestServerOfAFileHoldsUpNoRequestThatEnds(t *testing.T) {
	ca := newPair(t, "ca").cert
	for name, part := range map[string]struct {
		text    string
		options func(url string) ClientOptions
		file    func(*Transport) *file
	}{
		"bearer token": {"x", func(url string) ClientOptions { return ClientOptions{BearerTokenFile: url} },
			func(tr *Transport) *file { return tr.auth.(*credentials).file }},
		"password": {"x", func(url string) ClientOptions { return ClientOptions{BasicAuth: BasicAuth{PasswordFile: url}} },
			func(tr *Transport) *file { return tr.auth.(*basicAuth).passwordFile }},
		"OAuth2": {"x", func(url string) ClientOptions {
			return ClientOptions{OAuth2: OAuth2{ClientID: "i", ClientSecretFile: url, TokenURL: "http://127.0.0.1:1/"}}
		}, func(tr *Transport) *file { return tr.auth.(*tokenSource).secretFile }},
		"TLS": {ca, func(url string) ClientOptions { return ClientOptions{TLS: TLS{CAFile: url}} },
			func(tr *Transport) *file { return tr.base.(*fileTransport).ca }},
	} {
		t.Run(name, func(t *testing.T) {
			server := newHanging(t, part.text)
			tr := mustTransport(t, part.options(server.URL))
			defer tr.Close()
			part.file(tr).readAt = time.Time{}
			wantEndsWhileAsked(t, tr, server)
		})
	}
	t.Run("user of a proxy", func(t *testing.T) {
		server := newHanging(t, "x")
		tr := mustTransport(t, ClientOptions{Routing: Routing{
			ProxyURL: "http://127.0.0.1:1/", ProxyAuth: BasicAuth{Username: "u", PasswordFile: server.URL},
		}})
		defer tr.Close()
		wantEndsWhileAsked(t, tr, server)
	})
}

// wantEndsWhileAsked sends a request and takes it back while server is asked for what
// it needs.
func wantEndsWhileAsked(t *testing.T, tr *Transport, server *hanging) {
	t.Helper()
	server.hangs.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		<-server.asked
		cancel()
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tr.RoundTrip(req); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestSecretInAFileIsNotLargerThanOneAtAURL(t *testing.T) {
	dir := t.TempDir()
	most := strings.Repeat("x", maxSecretSize)
	secret, err := ReadSecret(t.Context(), "file://"+write(t, dir, "most", most), nil)
	if string(secret) != most || err != nil {
		t.Errorf("%d bytes, %v", len(secret), err)
	}
	path := write(t, dir, "more", most+"x")
	_, err = ReadSecret(t.Context(), "file://"+path, nil)
	if want := "read " + path + ": more than 65536 bytes"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
