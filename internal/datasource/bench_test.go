package datasource

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// manySeries is an answer of n series with eight labels each.
func manySeries(n int) string {
	var b strings.Builder
	b.WriteString(`{"status":"success","isPartial":false,"data":{"resultType":"vector","result":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"metric":{"__name__":"http_requests_total","cluster":"eu-west-1","code":"200","handler":"/api/v1/query",`+
			`"instance":"10.0.%d.%d:9100","job":"api-server","method":"GET","pod":"api-server-5d8f7c-%05d"},"value":[1700000000,"%d"]}`,
			i/250, i%250, i, i)
	}
	b.WriteString(`]},"stats":{"seriesFetched":"1","executionTimeMsec":2}}`)
	return b.String()
}

func BenchmarkDecode(b *testing.B) {
	for _, n := range []int{0, 1, 50_000} {
		b.Run(fmt.Sprintf("series=%d", n), func(b *testing.B) {
			body := []byte(manySeries(n))
			r := bytes.NewReader(body)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				r.Reset(body)
				ans, err := decodePrometheus(r, defaultMaxResponseSize)
				if err != nil || len(ans.Samples) != n {
					b.Fatal(len(ans.Samples), err)
				}
			}
		})
	}
}

// memoryServer answers from memory, so that what is measured is the client's own.
type memoryServer struct{ body []byte }

func (m memoryServer) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	r.Body.Close()
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(m.body))}, nil
}

func BenchmarkSmallQueryInMemory(b *testing.B) {
	c := newClient(b, memoryServer{[]byte(manySeries(1))}, nil)
	q := up()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Query(context.Background(), q); err != nil {
			b.Fatal(err)
		}
	}
}

// smallServer answers every request with one series, compressed if zip.
func smallServer(b *testing.B, zip bool) (url string) {
	body := []byte(manySeries(1))
	if zip {
		var buf bytes.Buffer
		w := gzip.NewWriter(&buf)
		_, _ = w.Write(body)
		w.Close()
		body = buf.Bytes()
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		if zip {
			w.Header().Set("Content-Encoding", "gzip")
		}
		_, _ = w.Write(body)
	}))
	b.Cleanup(s.Close)
	return s.URL
}

// BenchmarkSmallQuery includes the server, which runs in the same process;
// BenchmarkTransportFloor is what of it the client cannot change.
func BenchmarkSmallQuery(b *testing.B) {
	for _, zip := range []bool{false, true} {
		b.Run(fmt.Sprintf("gzip=%t", zip), func(b *testing.B) {
			rt := &http.Transport{MaxIdleConnsPerHost: 4}
			defer rt.CloseIdleConnections()
			c := newClient(b, rt, func(o *Options) { o.URL = smallServer(b, zip) })
			q := up()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Query(context.Background(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkTransportFloor(b *testing.B) {
	rt := &http.Transport{MaxIdleConnsPerHost: 4, DisableCompression: true}
	defer rt.CloseIdleConnections()
	url := smallServer(b, false)
	form := []byte("query=up+%3D%3D+0&time=2026-03-01T12%3A00%3A00Z&step=300s")
	b.ReportAllocs()
	for b.Loop() {
		r, err := http.NewRequest(http.MethodPost, url+"/api/v1/query", bytes.NewReader(form))
		if err != nil {
			b.Fatal(err)
		}
		resp, err := rt.RoundTrip(r)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}
