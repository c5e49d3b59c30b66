package datasource

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// repeated reads s again and again.
type repeated struct {
	s   string
	pos int
}

func (r *repeated) Read(p []byte) (int, error) {
	n := copy(p, r.s[r.pos:])
	r.pos = (r.pos + n) % len(r.s)
	return n, nil
}

func TestMemoryIsBoundedByTheResultNotTheBody(t *testing.T) {
	const long = 8 << 20
	for name, filler := range map[string]string{
		"unknown values": `{"a":[1,"xyz",null]},`,
		"one string":     `xxxx\nxxx`,
		"white space":    "\n       ",
	} {
		t.Run(name, func(t *testing.T) {
			opening, closing := `{"extra":[`, `0],"status":"success","data":{"resultType":"vector","result":[]}}`
			if name == "one string" {
				opening, closing = `{"extra":["`, `",`+closing
			}
			body := io.MultiReader(strings.NewReader(opening),
				io.LimitReader(&repeated{s: filler}, int64(long/len(filler)*len(filler))), strings.NewReader(closing))

			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			ans, err := decodePrometheus(body, defaultMaxResponseSize)
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Fatal(err)
			}
			if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 || ans.size < long {
				t.Errorf("decoding %d bytes took %d bytes of memory", ans.size, got)
			}
		})
	}
}

func TestASeriesCostsOneAllocation(t *testing.T) {
	const n = 5000
	body := manySeries(n)
	allocs := testing.AllocsPerRun(3, func() {
		if _, err := decodePrometheus(strings.NewReader(body), defaultMaxResponseSize); err != nil {
			t.Error(err)
		}
	})
	// What else goes on in the process is counted, too.
	if allocs > n+n/4 {
		t.Errorf("%d series cost %.0f allocations", n, allocs)
	}
}

// echoServer answers with 41 series whose label is the expression.
type echoServer struct{}

func (echoServer) RoundTrip(r *http.Request) (*http.Response, error) {
	raw, _ := io.ReadAll(r.Body)
	form, err := url.ParseQuery(string(raw))
	if err != nil {
		return nil, err
	}
	one := fmt.Sprintf(`{"metric":{"expr":%q},"value":[1,"1"]}`, form.Get("query"))
	body := vector(strings.Repeat(one+",", 40) + one)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func TestConcurrentQueriesKeepTheirAnswersApart(t *testing.T) {
	c := newClient(t, echoServer{}, func(o *Options) { o.MaxConcurrency = 3 })
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			q := up()
			q.Expr = strings.Repeat("x", i*7+1)
			for range 50 {
				r, err := c.Query(t.Context(), q)
				if err != nil || len(r.Samples) != 41 {
					t.Errorf("got %d samples, %v", len(r.Samples), err)
					return
				}
				for _, s := range r.Samples {
					if got := s.Labels.Get("expr"); got != q.Expr {
						t.Errorf("got %q, want %q", got, q.Expr)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}
