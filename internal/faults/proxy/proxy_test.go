package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tocsin/internal/e2e/servers"
	"tocsin/internal/faults/plan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const longAnswer = "an answer that is long enough to be cut in the middle"

// behind is a server behind a proxy that counts what reaches it.
type behind struct {
	*Proxy
	served atomic.Int64
	client *http.Client
}

func startBehind(t *testing.T) *behind { return startPartial(t, false) }

func startPartial(t *testing.T, partial bool) *behind {
	t.Helper()
	b := &behind{client: &http.Client{Transport: &http.Transport{}}}
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.served.Add(1)
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/write" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("X-Asked", r.Header.Get("X-Ask")+string(body)+r.URL.RawQuery)
		_, _ = io.WriteString(w, longAnswer)
	}))
	t.Cleanup(backend.Close)
	addr, err := servers.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	b.Proxy, err = Start(Options{
		Addr: addr, Partial: partial, Target: strings.TrimPrefix(backend.URL, "http://"),
		Rubbish: []string{"\x00nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n<html/>"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.client.CloseIdleConnections()
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *behind) set(t *testing.T, m Mode) {
	t.Helper()
	if err := b.Set(m); err != nil {
		t.Fatal(err)
	}
}

// post returns the answer to a request; its error may also be about the body.
func (b *behind) post(ctx context.Context, path string) (*http.Response, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.URL()+path, strings.NewReader("body"))
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("X-Ask", "header")
	resp, err := b.client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp, string(text), err
}

func (b *behind) assertWorks(t *testing.T) {
	t.Helper()
	resp, text, err := b.post(t.Context(), "/?a=1")
	if err != nil {
		t.Fatal(err)
	}
	if text != longAnswer || resp.Header.Get("X-Asked") != "headerbodya=1" {
		t.Errorf("answer is %q with %v", text, resp.Header)
	}
	if resp, _, err := b.post(t.Context(), "/write"); err != nil || resp.StatusCode != http.StatusNoContent {
		t.Errorf("a write gives %v, %v", resp, err)
	}
}

func TestHealthyProxyPassesEverything(t *testing.T) {
	startBehind(t).assertWorks(t)
}

func TestDownRefusesUntilItIsOver(t *testing.T) {
	b := startBehind(t)
	b.assertWorks(t) // leaves a connection open
	served := b.served.Load()
	b.set(t, Mode{Kind: plan.Down})
	if _, text, err := b.post(t.Context(), "/"); err == nil {
		t.Errorf("on the open connection it answers %q", text)
	}
	if _, _, err := b.post(t.Context(), "/"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the error is %v, want a refused connection", err)
	}
	if b.served.Load() != served {
		t.Error("a request came through")
	}
	b.set(t, Mode{})
	b.assertWorks(t)
}

func TestHangServesWhoStillWaits(t *testing.T) {
	b := startBehind(t)
	b.set(t, Mode{Kind: plan.Hang})
	impatient, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, _, err := b.post(impatient, "/"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("the error is %v, want a deadline", err)
	}
	answers := make(chan string)
	go func() {
		_, text, err := b.post(context.Background(), "/")
		if err != nil {
			text = err.Error()
		}
		answers <- text
	}()
	select {
	case text := <-answers:
		t.Errorf("while it hangs the answer is %q", text)
	case <-time.After(100 * time.Millisecond):
	}
	if b.served.Load() != 0 {
		t.Error("a request came through")
	}
	b.set(t, Mode{})
	if text := <-answers; text != longAnswer {
		t.Errorf("afterwards the answer is %q", text)
	}
	if n := b.served.Load(); n != 1 {
		t.Errorf("%d requests came through, want that of the patient client", n)
	}
}

func TestSlowServesLater(t *testing.T) {
	b := startBehind(t)
	b.set(t, Mode{Kind: plan.Slow, Amount: 150 * time.Millisecond})
	began := time.Now()
	if _, text, err := b.post(t.Context(), "/"); err != nil || text != longAnswer {
		t.Fatalf("answer %q, %v", text, err)
	}
	if took := time.Since(began); took < 150*time.Millisecond {
		t.Errorf("it took %s", took)
	}
}

func TestCutServesAndBreaksTheAnswerOff(t *testing.T) {
	b := startBehind(t)
	b.set(t, Mode{Kind: plan.Cut})
	for _, path := range []string{"/", "/write"} {
		before := b.served.Load()
		if resp, text, err := b.post(t.Context(), path); err == nil {
			t.Errorf("%s is answered whole: %s %q", path, resp.Status, text)
		}
		if b.served.Load() == before {
			t.Errorf("%s did not reach the server", path)
		}
	}
	b.set(t, Mode{})
	b.assertWorks(t)
}

func TestRefusalsDoNotReachTheServer(t *testing.T) {
	for _, c := range []struct {
		mode   Mode
		status int
		after  string
	}{
		{Mode{plan.TooMany, 2 * time.Second}, http.StatusTooManyRequests, "2"},
		{Mode{Kind: plan.ServerError}, http.StatusInternalServerError, ""},
		{Mode{Kind: plan.BadRequest}, http.StatusBadRequest, ""},
	} {
		b := startBehind(t)
		b.set(t, c.mode)
		resp, _, err := b.post(t.Context(), "/")
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != c.status || resp.Header.Get("Retry-After") != c.after || b.served.Load() != 0 {
			t.Errorf("%s: %s with Retry-After %q, %d requests served", c.mode.Kind, resp.Status, resp.Header.Get("Retry-After"), b.served.Load())
		}
	}
}

func TestBadRequestMayBeServedInPart(t *testing.T) {
	b := startPartial(t, true)
	b.set(t, Mode{Kind: plan.BadRequest})
	if resp, _, err := b.post(t.Context(), "/"); err != nil || resp.StatusCode != http.StatusBadRequest || b.served.Load() != 1 {
		t.Errorf("%v, %v, %d requests served", resp, err, b.served.Load())
	}
}

func TestRubbishTakesTurns(t *testing.T) {
	b := startBehind(t)
	b.set(t, Mode{Kind: plan.Rubbish})
	if resp, _, err := b.post(t.Context(), "/"); err == nil {
		t.Errorf("the first is taken for %s", resp.Status)
	}
	if _, text, err := b.post(t.Context(), "/"); err != nil || text != "<html/>" {
		t.Errorf("the second is %q, %v", text, err)
	}
	if b.served.Load() != 0 {
		t.Error("a request came through")
	}
}
