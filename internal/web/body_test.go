package web

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"tocsin/config"
	"tocsin/rules"
)

// many returns a group with n rules, each with a firing alert.
func many(n int) *rules.Snapshot {
	g := simpleGroup("many.yml", "many", make([]string, n)...)
	for i := range g.Rules {
		g.Rules[i].Rule.Name = "Rule" + strconv.Itoa(i)
		setAlerts(&g.Rules[i], rules.Instance{State: rules.Firing, ID: uint64(i), Value: float64(i)})
	}
	return g
}

func TestSmallAnswerHasALengthAndIsNotCompressed(t *testing.T) {
	r := httptest.NewRequest("GET", "/api/v1/notifiers", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	resp, body := send(t, demoServer(), r)
	if resp.Header.Get("Content-Encoding") != "" || resp.Header.Get("Content-Length") != strconv.Itoa(len(body)) {
		t.Errorf("headers %v for %d bytes", resp.Header, len(body))
	}
}

func TestLargeAnswerIsTheSameCompressedOrNot(t *testing.T) {
	s := New(Options{State: demoState(many(500))})
	plainResp, plain := get(t, s, "/api/v1/rules")
	if plainResp.Header.Get("Content-Encoding") != "" || !json.Valid([]byte(plain)) || len(plain) < 2*bodyBuffer {
		t.Fatalf("plain answer of %d bytes, headers %v", len(plain), plainResp.Header)
	}
	for range 3 { // the compressor is used again
		r := httptest.NewRequest("GET", "/api/v1/rules", nil)
		r.Header.Set("Accept-Encoding", "br, gzip;q=0.8")
		resp, packed := send(t, s, r)
		if resp.Header.Get("Content-Encoding") != "gzip" || resp.Header.Get("Vary") != "Accept-Encoding" || len(packed) > len(plain)/4 {
			t.Fatalf("%d bytes of %d, headers %v", len(packed), len(plain), resp.Header)
		}
		z, err := gzip.NewReader(strings.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(z); err != nil || string(got) != plain {
			t.Fatalf("unpacked differently: %v", err)
		}
	}
}

func TestCompressionCanBeDisabled(t *testing.T) {
	r := httptest.NewRequest("GET", "/api/v1/rules", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	resp, body := send(t, New(Options{State: demoState(many(100)), DisableCompression: true}), r)
	if resp.Header.Get("Content-Encoding") != "" || !json.Valid([]byte(body)) {
		t.Errorf("headers %v", resp.Header)
	}
}

func TestAcceptEncoding(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "deflate, gzip": true, "gzip;q=1.0": true, "gzip; q=0.5": true,
		"gzip;q=0": false, "gzip;q=0.000": false, "br": false, "xgzip": false, "gzip;q=x": false,
	} {
		if got := acceptsGzip(header); got != want {
			t.Errorf("%q: %t", header, got)
		}
	}
}

// goneClient fails every write after the first.
type goneClient struct {
	http.ResponseWriter
	writes int
}

func (c *goneClient) Write(p []byte) (int, error) {
	c.writes++
	if c.writes > 1 {
		return 0, errors.New("gone")
	}
	return len(p), nil
}

func TestRenderingStopsWhenTheClientIsGone(t *testing.T) {
	linked := 0
	state := demoState(many(5000))
	link := state.Link
	state.Link = func(g *config.Group) rules.GroupLinker {
		of := link(g)
		return func(r *config.Rule, a *rules.Instance) rules.Link { linked++; return of(r, a) }
	}
	s := New(Options{State: state})
	for _, path := range []string{"/api/v1/rules", "/api/v1/alerts"} {
		linked = 0
		w := &goneClient{ResponseWriter: httptest.NewRecorder()}
		s.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.writes != 2 || linked == 0 || linked > 1000 {
			t.Errorf("%s: %d writes, %d alerts rendered", path, w.writes, linked)
		}
	}
	// What was left over must not get into the next answer.
	if body := getOK(t, s, "/api/v1/rules"); !json.Valid([]byte(body)) {
		t.Error("the next answer is not JSON")
	}
}

func TestOneRuleWithVeryManyAlertsLeavesInChunks(t *testing.T) {
	g := simpleGroup("a.yml", "g", "A")
	setAlerts(&g.Rules[0], firing(5000)...)
	w := &chunkClient{ResponseRecorder: httptest.NewRecorder()}
	New(Options{State: demoState(g)}).ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/rules", nil))
	if w.largest > bodyBuffer || w.Body.Len() < 10*bodyBuffer {
		t.Errorf("largest chunk %d of %d bytes", w.largest, w.Body.Len())
	}
	if got := decode[rulesAnswer](t, w.Body.String()); len(got.Data.Groups[0].Rules[0].Alerts) != 5000 {
		t.Errorf("%d alerts", len(got.Data.Groups[0].Rules[0].Alerts))
	}
}

// chunkClient remembers the largest write.
type chunkClient struct {
	*httptest.ResponseRecorder
	largest int
}

func (c *chunkClient) Write(p []byte) (int, error) {
	c.largest = max(c.largest, len(p))
	return c.ResponseRecorder.Write(p)
}
