package alertmanager

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
	"tocsin/rules"
)

// deliverOnce makes a Set for url, hands it n alerts with the headers, closes it
// and returns the target's last error.
func deliverOnce(t *testing.T, url string, timeout time.Duration, n int, headers ...config.Pair) (lastError string, err error) {
	t.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	s := newSet(t, Options{}, Endpoint{URL: url, Transport: transport, SendTimeout: timeout})
	target := s.list()[0]
	var alerts []rules.Alert
	for i := range n {
		alerts = append(alerts, rules.Alert{
			Labels: labels.FromStrings("alertname", "A", "n", strings.Repeat("x", i)),
			EndsAt: time.Now().Add(time.Hour),
		})
	}
	if err := s.Notify(rules.Notification{Headers: headers, Alerts: alerts}); err != nil {
		t.Fatal(err)
	}
	s.Start()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	err = s.Close(ctx)
	return target.Status().LastError, err
}

func TestRequestOverTheNetwork(t *testing.T) {
	var got []wireAlert
	var header http.Header
	var host, query string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		header, host, query = r.Header, r.Host, r.URL.RawQuery
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	url := strings.Replace(server.URL, "http://", "http://me:secret@", 1) + "?token=t"
	_, err := deliverOnce(t, url, time.Minute, 3,
		config.Pair{Name: "x-team", Value: "blue"}, config.Pair{Name: "host", Value: "am.example"})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || header.Get("Content-Type") != "application/json" || query != "token=t" {
		t.Errorf("%d alerts, header %v, query %q", len(got), header, query)
	}
	if header.Get("X-Team") != "blue" || host != "am.example" {
		t.Errorf("group headers did not arrive: %v, host %q", header, host)
	}
	if !strings.HasPrefix(header.Get("Authorization"), "Basic ") {
		t.Error("the user of the URL was not sent")
	}
	if _, ok := header["Idempotency-Key"]; ok {
		t.Error("a mark meant for the transport was sent")
	}
}

func TestRedirectKeepsPostOrFails(t *testing.T) {
	for _, tt := range []struct {
		name     string
		status   int
		to       string
		delivers bool
	}{
		{"temporary, same host", http.StatusTemporaryRedirect, "/moved", true},
		{"permanent, same host", http.StatusPermanentRedirect, "/moved", true},
		{"one that would turn it into a GET", http.StatusFound, "/moved", false},
		{"another host", http.StatusTemporaryRedirect, "http://elsewhere.invalid/moved", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bodies := make(chan string, 16)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/moved" {
					http.Redirect(w, r, tt.to, tt.status)
					return
				}
				body, _ := io.ReadAll(r.Body)
				bodies <- r.Method + string(body)
			}))
			defer server.Close()
			timeout := time.Minute
			if !tt.delivers {
				timeout = 100 * time.Millisecond
			}
			lastError, err := deliverOnce(t, server.URL, timeout, 1)
			if delivered := err == nil; delivered != tt.delivers {
				t.Fatalf("delivered %v, want %v (%s)", delivered, tt.delivers, lastError)
			}
			if !tt.delivers {
				return
			}
			if got := <-bodies; !strings.HasPrefix(got, `POST[{"endsAt"`) {
				t.Errorf("the redirected request is %s", got)
			}
		})
	}
}

func TestRedirectsThatAreFollowed(t *testing.T) {
	at := func(method, url string) *http.Request {
		r, err := http.NewRequest(method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, tt := range []struct {
		method, to string
		hops       int
		want       bool
	}{
		{"POST", "https://am:9094/x", 1, true},
		{"POST", "http://am:9093/x", 1, false}, // what was encrypted stays so
		{"POST", "https://other:9093/x", 1, false},
		{"GET", "https://am:9093/x", 1, false},
		{"POST", "https://am:9093/x", 4, true},
		{"POST", "https://am:9093/x", 5, false},
	} {
		via := slices.Repeat([]*http.Request{at("POST", "https://am:9093/")}, tt.hops)
		if err := sameHost(at(tt.method, tt.to), via); (err == nil) != tt.want {
			t.Errorf("%s %s after %d hops: %v, want followed %v", tt.method, tt.to, tt.hops, err, tt.want)
		}
	}
}

func TestErrorsDoNotShowSecrets(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	addr := strings.TrimPrefix(server.URL, "http://")
	server.Close()
	lastError, err := deliverOnce(t, "http://me:secret@"+addr+"/?token=secret", 50*time.Millisecond, 1)
	if err == nil || lastError == "" {
		t.Fatalf("delivery to a closed port: error %v, last error %q", err, lastError)
	}
	if all := lastError + err.Error(); strings.Contains(all, "secret") || strings.Contains(all, "token") {
		t.Errorf("errors hold secrets: %s", all)
	}
}

// TestEarlyAnswerDoesNotMixRequests has a server that answers before it has read
// the request, so that the transport reads on while the next one is written. The
// race detector watches.
func TestEarlyAnswerDoesNotMixRequests(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
	}))
	defer server.Close()
	if _, err := deliverOnce(t, server.URL, time.Minute, 2500); err != nil {
		t.Error(err)
	}
}

func TestConnectionIsUsedAgain(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, strings.Repeat("x", bodyDrained/2))
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	if _, err := deliverOnce(t, server.URL, time.Minute, 3*defaultBatchSize); err != nil {
		t.Fatal(err)
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("three requests took %d connections", n)
	}
}

// lateReader answers before it reads, and reads when the next request is there.
type lateReader struct {
	body io.ReadCloser
	late chan error
}

func (l *lateReader) RoundTrip(req *http.Request) (*http.Response, error) {
	if l.body != nil {
		_, err := l.body.Read(make([]byte, 1))
		l.late <- err
	}
	l.body = req.Body
	return respond(http.StatusOK, ""), nil
}

func TestTransportCannotReadAfterItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := &lateReader{late: make(chan error, 1)}
		s := newSet(t, Options{MaxBatchSize: 1}, Endpoint{URL: "http://am", Transport: transport})
		s.Start()
		if err := s.Notify(rules.Notification{Alerts: []rules.Alert{firing("A"), firing("B")}}); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-transport.late; err == nil || err == io.EOF {
			t.Errorf("a late read answers %v, want an error that is not the end", err)
		}
	})
}
