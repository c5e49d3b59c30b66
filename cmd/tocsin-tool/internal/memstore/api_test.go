package memstore

import (
	"bytes"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
)

// serve sends one request to s and returns status and trimmed body.
func serve(s *Store, r *http.Request) (int, string) {
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	body, _ := io.ReadAll(w.Result().Body)
	return w.Code, strings.TrimSpace(string(body))
}

func post(path string, form url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func storeWithJobs(t testing.TB) *Store {
	t.Helper()
	s := openStore(t)
	err := s.Append(t.Context(), []Sample{
		sample(100, 1.5, "__name__", "jobs", "queue", "a\"<\n"),
		sample(100, math.Inf(1), "__name__", "jobs", "queue", "b"),
		sample(110, 2.5, "__name__", "jobs", "queue", "a\"<\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestInstantQueryAnswers(t *testing.T) {
	s := storeWithJobs(t)
	for _, c := range []struct{ name, expr, at, want string }{
		{"vector", `jobs{queue="b"}`, "100", `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"jobs","queue":"b"},"value":[100,"+Inf"]}]}}`},
		{"vector with hostile label", `jobs{queue!="b"}`, "1970-01-01T00:01:40Z", `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"jobs","queue":"a\"\u003c\n"},"value":[100,"1.5"]}]}}`},
		{"empty vector", `nothing`, "100", `{"status":"success","data":{"resultType":"vector","result":[]}}`},
		{"scalar", `1 + 1`, "100.5", `{"status":"success","data":{"resultType":"scalar","result":[100.5,"2"]}}`},
		{"string", `"x"`, "100", `{"status":"success","data":{"resultType":"string","result":[100,"x"]}}`},
		{"matrix", `jobs{queue!="b"}[20s]`, "110", `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"jobs","queue":"a\"\u003c\n"},"values":[[100,"1.5"],[110,"2.5"]]}]}}`},
		{"empty matrix", `nothing[1m]`, "100", `{"status":"success","data":{"resultType":"matrix","result":[]}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			form := url.Values{"query": {c.expr}, "time": {c.at}}
			for _, r := range []*http.Request{
				post("/api/v1/query", form),
				httptest.NewRequest(http.MethodGet, "/api/v1/query?"+form.Encode(), nil),
			} {
				code, body := serve(s, r)
				if code != http.StatusOK {
					t.Errorf("%s answers status %d", r.Method, code)
				}
				if diff := cmp.Diff(c.want, body); diff != "" {
					t.Errorf("%s answers (-want +got):\n%s", r.Method, diff)
				}
			}
		})
	}
}

func TestQueryErrors(t *testing.T) {
	s := storeWithJobs(t)
	for _, c := range []struct {
		name, path string
		form       url.Values
		code       int
		kind       string
	}{
		{"syntax", "/api/v1/query", url.Values{"query": {"sum("}}, 400, "bad_data"},
		{"time", "/api/v1/query", url.Values{"query": {"1"}, "time": {"noon"}}, 400, "bad_data"},
		{"time that is no number", "/api/v1/query", url.Values{"query": {"1"}, "time": {"NaN"}}, 400, "bad_data"},
		{"timeout", "/api/v1/query", url.Values{"query": {"1"}, "timeout": {"soon"}}, 400, "bad_data"},
		{"timed out", "/api/v1/query", url.Values{"query": {"jobs"}, "timeout": {"0"}}, 503, "timeout"},
		{"evaluation", "/api/v1/query", url.Values{"query": {"jobs + on() jobs"}, "time": {"100"}}, 422, "execution"},
		{"range without start", "/api/v1/query_range", url.Values{"query": {"1"}, "end": {"9"}, "step": {"1"}}, 400, "bad_data"},
		{"range backwards", "/api/v1/query_range", url.Values{"query": {"1"}, "start": {"9"}, "end": {"8"}, "step": {"1"}}, 400, "bad_data"},
		{"range without step", "/api/v1/query_range", url.Values{"query": {"1"}, "start": {"1"}, "end": {"8"}}, 400, "bad_data"},
		{"range with step zero", "/api/v1/query_range", url.Values{"query": {"1"}, "start": {"1"}, "end": {"8"}, "step": {"0"}}, 400, "bad_data"},
		{"range of too many steps", "/api/v1/query_range", url.Values{"query": {"1"}, "start": {"1"}, "end": {"20000"}, "step": {"1"}}, 400, "bad_data"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, body := serve(s, post(c.path, c.form))
			if code != c.code {
				t.Errorf("status %d, want %d", code, c.code)
			}
			if want := `{"status":"error","errorType":"` + c.kind + `","error":"`; !strings.HasPrefix(body, want) {
				t.Errorf("got body %s, want it to begin with %s", body, want)
			}
		})
	}
}

func TestRangeQueryAnswersEachStep(t *testing.T) {
	s := storeWithJobs(t)
	code, body := serve(s, post("/api/v1/query_range", url.Values{
		"query": {`sum(jobs{queue!="b"})`}, "start": {"90"}, "end": {"110"}, "step": {"10s"},
	}))
	want := `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[100,"1.5"],[110,"2.5"]]}]}}`
	if code != http.StatusOK || body != want {
		t.Errorf("got %d %s, want 200 %s", code, body, want)
	}
}

func TestProbesAnswer(t *testing.T) {
	s := openStore(t)
	for _, path := range []string{"/-/ready", "/-/healthy"} {
		if code, _ := serve(s, httptest.NewRequest(http.MethodGet, path, nil)); code != http.StatusOK {
			t.Errorf("%s answers %d", path, code)
		}
	}
}

// writeBody encodes series as remote write, version 1.
func writeBody(t testing.TB, series ...prompb.TimeSeries) []byte {
	t.Helper()
	raw, err := (&prompb.WriteRequest{Timeseries: series}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return snappy.Encode(nil, raw)
}

func writeRequest(body []byte, encoding string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/api/v1/write", bytes.NewReader(body))
	r.Header.Set("Content-Encoding", encoding)
	r.Header.Set("Content-Type", "application/x-protobuf")
	return r
}

func TestRemoteWriteIsQueriedBack(t *testing.T) {
	s := openStore(t)
	body := writeBody(t, prompb.TimeSeries{
		Labels:  []prompb.Label{{Name: "z", Value: "a=\"b\",\n"}, {Name: "__name__", Value: "jobs"}},
		Samples: []prompb.Sample{{Timestamp: 100_000, Value: 1}, {Timestamp: 101_000, Value: 2}},
	})
	if code, text := serve(s, writeRequest(body, "snappy")); code != http.StatusNoContent {
		t.Fatalf("write answers %d %s", code, text)
	}
	if got, want := ask(t, s, `sum_over_time(jobs{z="a=\"b\",\n"}[10s])`, 101), `{z="a=\"b\",\n"} => 3 @[101000]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRemoteWriteRefusals(t *testing.T) {
	named := []prompb.Label{{Name: "__name__", Value: "jobs"}}
	good := writeBody(t, prompb.TimeSeries{Labels: named, Samples: []prompb.Sample{{Timestamp: 1000}}})
	v2 := writeRequest(good, "snappy")
	v2.Header.Set("Content-Type", "application/x-protobuf;proto=io.prometheus.write.v2.Request")
	for _, c := range []struct {
		name string
		r    *http.Request
		code int
	}{
		{"zstd", writeRequest(good, "zstd"), 415},
		{"version 2", v2, 415},
		{"no snappy", writeRequest([]byte("hello"), "snappy"), 400},
		{"length that lies", writeRequest([]byte{0xff, 0xff, 0xff, 0xff, 0x0f}, "snappy"), 400},
		{"no protobuf", writeRequest(snappy.Encode(nil, []byte("hello")), "snappy"), 400},
		{"nameless series", writeRequest(writeBody(t, prompb.TimeSeries{Samples: []prompb.Sample{{}}}), "snappy"), 400},
		{"endless label", writeRequest(writeBody(t, prompb.TimeSeries{Labels: append(named, prompb.Label{Name: "x", Value: strings.Repeat("y", maxLabel+1)})}), "snappy"), 400},
		{"histogram", writeRequest(writeBody(t, prompb.TimeSeries{Labels: named, Histograms: []prompb.Histogram{{}}}), "snappy"), 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			if code, body := serve(openStore(t), c.r); code != c.code {
				t.Errorf("got %d %s, want %d", code, body, c.code)
			}
		})
	}
}

// FuzzDecodeWrite holds that no body makes decoding panic, and that what is
// decoded has labels in order.
func FuzzDecodeWrite(f *testing.F) {
	f.Add(writeBody(f, prompb.TimeSeries{
		Labels:  []prompb.Label{{Name: "b", Value: "1"}, {Name: "__name__", Value: "jobs"}},
		Samples: []prompb.Sample{{Timestamp: 1, Value: 2}},
	}))
	f.Add([]byte{0})
	f.Fuzz(func(t *testing.T, body []byte) {
		batch, err := decodeWrite(body)
		if err != nil {
			return
		}
		for _, x := range batch {
			last := ""
			x.Labels.Range(func(l labels.Label) {
				if l.Name < last {
					t.Errorf("labels out of order: %s", x.Labels)
				}
				last = l.Name
			})
		}
	})
}
