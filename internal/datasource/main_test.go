package datasource

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"go.uber.org/goleak"

	"tocsin/config"
	"tocsin/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var compareLabels = cmp.Comparer(func(a, b labels.Labels) bool { return labels.Equal(a, b) })

// noon is when the queries of these tests ask for.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const emptyVector = `{"status":"success","data":{"resultType":"vector","result":[]}}`

// seen is one request as a fakeServer received it.
type seen struct {
	method, url, host string
	header            http.Header
	form              url.Values
}

// fakeServer is a RoundTripper that answers the n-th request with the n-th of
// its replies, the last of them again and again, and remembers the requests.
type fakeServer struct {
	replies []reply

	mu   sync.Mutex // guards the fields below
	seen []seen
}

type reply struct {
	status int // 0 is 200
	header http.Header
	body   string
	broken error // what reading past body returns; nil is io.EOF
	err    error // of the round trip
}

func (f *fakeServer) RoundTrip(r *http.Request) (*http.Response, error) {
	raw, _ := io.ReadAll(r.Body)
	r.Body.Close()
	form, err := url.ParseQuery(string(raw))
	if err != nil || int64(len(raw)) != r.ContentLength {
		return nil, io.ErrShortWrite
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = append(f.seen, seen{r.Method, r.URL.String(), r.Host, r.Header.Clone(), form})
	a := f.replies[min(len(f.seen), len(f.replies))-1]
	if a.err != nil {
		return nil, a.err
	}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	if a.header == nil {
		a.header = http.Header{"Content-Type": {"application/json"}}
	}
	var body io.Reader = strings.NewReader(a.body)
	if a.broken != nil {
		body = io.MultiReader(body, failingReader{a.broken})
	}
	return &http.Response{StatusCode: a.status, Header: a.header, Body: io.NopCloser(body), Request: r}, nil
}

type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) { return 0, f.err }

// answering returns a server that gives every request the same answer.
func answering(body string) *fakeServer { return &fakeServer{replies: []reply{{body: body}}} }

func newClient(t testing.TB, rt http.RoundTripper, change func(*Options)) *Client {
	t.Helper()
	o := Options{URL: "http://vm:8428", Transport: rt, QueryStep: 5 * time.Minute}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func up() rules.Query {
	return rules.Query{Type: config.Prometheus, Expr: "up == 0", Time: noon, Interval: time.Minute}
}

// ask queries q and fails the test on an error.
func ask(t *testing.T, c *Client, q rules.Query) rules.Result {
	t.Helper()
	r, err := c.Query(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// only returns the one request the server has seen.
func (f *fakeServer) only(t *testing.T) seen {
	t.Helper()
	if len(f.seen) != 1 {
		t.Fatalf("server has seen %d requests, want 1", len(f.seen))
	}
	return f.seen[0]
}

func equal[T any](t *testing.T, got, want T) {
	t.Helper()
	if d := cmp.Diff(want, got, compareLabels, cmp.AllowUnexported(seen{})); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func decodeString(s string) (answer, error) {
	return decodePrometheus(bytes.NewReader([]byte(s)), defaultMaxResponseSize)
}
