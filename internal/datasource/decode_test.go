package datasource

import (
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

func sample(t int64, v float64, pairs ...string) rules.Sample {
	return rules.Sample{Labels: labels.FromStrings(pairs...), T: t, V: v}
}

func vector(elements string) string {
	return `{"status":"success","data":{"resultType":"vector","result":[` + elements + `]}}`
}

func series(value string) string { return vector(`{"metric":{"a":"b"},"value":` + value + `}`) }

var goodAnswers = []struct {
	name, body string
	want       rules.Result
}{
	{"empty vector", emptyVector, rules.Result{SeriesFetched: -1}},
	{"two series, name first as VictoriaMetrics writes it",
		vector(`{"metric":{"__name__":"up","job":"a"},"value":[1700000000,"1"]},{"metric":{"Z":"z","__name__":"up","job":"b"},"value":[1700000000,"0.5"]}`),
		rules.Result{SeriesFetched: -1, Samples: []rules.Sample{
			sample(1700000000000, 1, "__name__", "up", "job", "a"),
			sample(1700000000000, 0.5, "Z", "z", "__name__", "up", "job", "b")}}},
	{"labels out of order", vector(`{"metric":{"b":"2","a":"1","c":"3"},"value":[1,"1"]}`),
		rules.Result{SeriesFetched: -1, Samples: []rules.Sample{sample(1000, 1, "a", "1", "b", "2", "c", "3")}}},
	{"label with empty value is no label", vector(`{"metric":{"a":"","b":"2"},"value":[1,"1"]}`),
		rules.Result{SeriesFetched: -1, Samples: []rules.Sample{sample(1000, 1, "b", "2")}}},
	{"no labels", vector(`{"metric":{},"value":[1,"1"]},{"metric":null,"value":[2,"2"]}`),
		rules.Result{SeriesFetched: -1, Samples: []rules.Sample{sample(1000, 1), sample(2000, 2)}}},
	{"value before metric and unknown keys", vector(`{"value":[1,"1"],"group":{"x":[1,{"y":null}]},"metric":{"a":"b"}}`),
		rules.Result{SeriesFetched: -1, Samples: []rules.Sample{sample(1000, 1, "a", "b")}}},
	{"resultType after result, status last",
		`{"data":{"result":[{"metric":{"a":"b"},"value":[1,"1"]}],"resultType":"vector"},"status":"success"}`,
		rules.Result{SeriesFetched: -1, Samples: []rules.Sample{sample(1000, 1, "a", "b")}}},
	{"scalar", `{"status":"success","data":{"resultType":"scalar","result":[1700000000.5,"42"]}}`,
		rules.Result{SeriesFetched: -1, Samples: []rules.Sample{sample(1700000000500, 42)}}},
	{"scalar whose type comes late", `{"status":"success","data":{"result":[1,"+Inf"],"resultType":"scalar"}}`,
		rules.Result{SeriesFetched: -1, Samples: []rules.Sample{sample(1000, math.Inf(1))}}},
	{"escapes", vector(`{"metric":{"a":"\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00","\u0062":"x"},"value":[1,"1"]}`),
		rules.Result{SeriesFetched: -1, Samples: []rules.Sample{sample(1000, 1, "a", "\"\\/\b\f\n\r\tA\u00e9\U0001F600", "b", "x")}}},
	{"half surrogate pairs", vector(`{"metric":{"a":"\ud800","b":"\ud800\n","c":"\ud800\ud83d\ude00","d":"\udc00x","e":"\ud800A"},"value":[1,"1"]}`),
		rules.Result{SeriesFetched: -1, Samples: []rules.Sample{
			sample(1000, 1, "a", "\uFFFD", "b", "\uFFFD\n", "c", "\uFFFD\U0001F600", "d", "\uFFFDx", "e", "\uFFFDA")}}},
	{"white space everywhere", " {\n\"status\" :\t\"success\" , \"data\" : { \"resultType\" : \"vector\" , \"result\" : [ { \"metric\" : { \"a\" : \"b\" } , \"value\" : [ 1 , \"1\" ] } ] } } \r\n",
		rules.Result{SeriesFetched: -1, Samples: []rules.Sample{sample(1000, 1, "a", "b")}}},
	{"VictoriaMetrics' statistics", `{"status":"success","isPartial":true,"data":{"resultType":"vector","result":[]},"stats":{"seriesFetched":"12","executionTimeMsec":3}}`,
		rules.Result{SeriesFetched: 12, Partial: true}},
	{"statistics as a number, inside data", `{"status":"success","isPartial":false,"data":{"stats":{"timings":{"evalTotalTime":0.1},"seriesFetched":7},"resultType":"vector","result":[]}}`,
		rules.Result{SeriesFetched: 7}},
	{"statistics that count nothing", `{"status":"success","data":{"resultType":"vector","result":[]},"stats":{"seriesFetched":null}}`,
		rules.Result{SeriesFetched: -1}},
	{"constant expression fetches no series and has a sample", `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"1"]}]},"stats":{"seriesFetched":"0"}}`,
		rules.Result{SeriesFetched: 0, Samples: []rules.Sample{sample(1000, 1)}}},
	{"nulls where something is left out", `{"status":"success","error":null,"errorType":null,"isPartial":null,"warnings":null,"stats":null,"data":{"resultType":"vector","result":[],"stats":{"seriesFetched":"many"}}}`,
		rules.Result{SeriesFetched: -1}},
	{"vector that is null", `{"status":"success","data":{"resultType":"vector","result":null}}`, rules.Result{SeriesFetched: -1}},
}

func TestDecodeGoodAnswers(t *testing.T) {
	for _, tt := range goodAnswers {
		t.Run(tt.name, func(t *testing.T) {
			got, err := decodeString(tt.body)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, got.Result, tt.want)
		})
	}
}

func TestDecodeDoesNotDependOnHowTheAnswerArrives(t *testing.T) {
	for _, tt := range goodAnswers {
		for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader} {
			got, err := decodePrometheus(wrap(strings.NewReader(tt.body)), defaultMaxResponseSize)
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			equal(t, got.Result, tt.want)
		}
	}
}

func TestDecodeValues(t *testing.T) {
	for text, want := range map[string]float64{
		`"1"`: 1, `"-0.25"`: -0.25, `"1e3"`: 1000, `"2.5E-3"`: 0.0025, `7`: 7, `"NaN"`: math.NaN(),
		`"+Inf"`: math.Inf(1), `"-Inf"`: math.Inf(-1), `"Inf"`: math.Inf(1), `"1.7976931348623157e+308"`: math.MaxFloat64,
	} {
		got, err := decodeString(series(`[1,` + text + `]`))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if d := cmp.Diff(want, got.Samples[0].V, cmpopts.EquateNaNs()); d != "" {
			t.Errorf("%s: %s", text, d)
		}
	}
}

func TestDecodeTimestampsAreExactMilliseconds(t *testing.T) {
	for text, want := range map[string]int64{
		`0`: 0, `1700000000`: 1700000000000, `1700000000.1`: 1700000000100, `1700000000.123`: 1700000000123,
		`1700000000.1234`: 1700000000123, `1700000000.1236`: 1700000000124, `1700000000.9996`: 1700000001000,
		`"1700000000.781"`: 1700000000781, `"1700000000"`: 1700000000000, `1.7e9`: 1700000000000,
		`1.700000000781e9`: 1700000000781, `-1.5`: -1500, `-0.0005`: -1,
	} {
		got, err := decodeString(series(`[` + text + `,"1"]`))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got.Samples[0].T != want {
			t.Errorf("%s: got %d, want %d", text, got.Samples[0].T, want)
		}
	}
}

func TestDecodeBadAnswers(t *testing.T) {
	for _, tt := range []struct{ name, body, want string }{
		{"nothing", "", "ends early"},
		{"web page", "<html><body>502</body></html>", "unexpected '<' at byte 0"},
		{"array", "[]", "want a JSON object"},
		{"cut short", emptyVector[:len(emptyVector)-3], "ends early"},
		{"cut in a string", `{"status":"succ`, "ends early"},
		{"cut in an escape", `{"status":"\u00`, "ends early"},
		{"two answers", emptyVector + emptyVector, "want the end"},
		{"no status", `{"data":{"resultType":"vector","result":[]}}`, `status of the answer is ""`},
		{"status of another kind", `{"status":1}`, "want a string"},
		{"no data", `{"status":"success"}`, `result type is ""`},
		{"data is null", `{"status":"success","data":null}`, `result type is ""`},
		{"data is an array", `{"status":"success","data":[]}`, "want an object as data"},
		{"no result", `{"status":"success","data":{"resultType":"vector"}}`, "does not hold the vector"},
		{"no result type", `{"status":"success","data":{"result":[]}}`, `result type is ""`},
		{"two results", `{"status":"success","data":{"resultType":"vector","result":[],"result":[]}}`, "two results"},
		{"result is a number", `{"status":"success","data":{"resultType":"vector","result":1}}`, "want an array as result"},
		{"matrix", `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"]]}]}}`, "result is a matrix"},
		{"matrix whose type comes late", `{"status":"success","data":{"result":[{"metric":{},"values":[[1,"1"]]}],"resultType":"matrix"}}`, "result is a matrix"},
		{"matrix that says vector", vector(`{"metric":{},"values":[[1,"1"]]}`), "result is a matrix"},
		{"string", `{"status":"success","data":{"resultType":"string","result":[1,"x"]}}`, `result type is "string"`},
		{"unknown type", `{"status":"success","data":{"resultType":"streams","result":[]}}`, `result type is "streams"`},
		{"empty scalar", `{"status":"success","data":{"resultType":"scalar","result":[]}}`, "does not hold the scalar"},
		{"scalar is null", `{"status":"success","data":{"resultType":"scalar","result":null}}`, "does not hold the scalar"},
		{"scalar of nulls", `{"status":"success","data":{"resultType":"scalar","result":[null,null]}}`, "want a series or a timestamp"},
		{"scalar without value", `{"status":"success","data":{"resultType":"scalar","result":[1]}}`, "incomplete"},
		{"scalar value is null", `{"status":"success","data":{"resultType":"scalar","result":[1,null]}}`, "is not a number"},
		{"scalar of three", `{"status":"success","data":{"resultType":"scalar","result":[1,"1","1"]}}`, "want the end of a timestamp"},
		{"scalar that says vector", `{"status":"success","data":{"resultType":"vector","result":[1,"1"]}}`, "does not hold the vector"},
		{"scalar that is no number", `{"status":"success","data":{"resultType":"scalar","result":[1,"x"]}}`, "is not a number"},
		{"series is null", vector(`null`), "want a series"},
		{"second series is null", vector(`{"metric":{},"value":[1,"1"]},null`), "want a series"},
		{"series without metric", vector(`{"value":[1,"1"]}`), "no metric"},
		{"series without value", vector(`{"metric":{}}`), "no value"},
		{"series with two metrics", vector(`{"metric":{},"metric":{},"value":[1,"1"]}`), "two metrics"},
		{"value is null", vector(`{"metric":{},"value":null}`), "want a timestamp with a value"},
		{"value is empty", series(`[]`), "incomplete"},
		{"value is an object", series(`[1,{}]`), "is not a number"},
		{"value says nothing", series(`[1,""]`), "is not a number"},
		{"value out of range", series(`[1,"1e999"]`), "is not a number"},
		{"timestamp is no number", series(`["noon","1"]`), "is not a number"},
		{"timestamp is NaN", series(`["NaN","1"]`), "is not a number"},
		{"timestamp out of range", series(`[1e300,"1"]`), "out of range"},
		{"timestamp with leading zero", series(`[01,"1"]`), "is not a number"},
		{"metric is a string", vector(`{"metric":"up","value":[1,"1"]}`), "want an object of labels"},
		{"label is a number", vector(`{"metric":{"a":1},"value":[1,"1"]}`), "want a string"},
		{"label is null", vector(`{"metric":{"a":null},"value":[1,"1"]}`), "want a string"},
		{"label without name", vector(`{"metric":{"":"x"},"value":[1,"1"]}`), "label without a name"},
		{"label twice", vector(`{"metric":{"a":"1","b":"2","a":"3"},"value":[1,"1"]}`), `label "a" appears twice`},
		{"label twice, once empty", vector(`{"metric":{"a":"1","a":""},"value":[1,"1"]}`), `label "a" appears twice`},
		{"control character", vector("{\"metric\":{\"a\":\"x\ny\"},\"value\":[1,\"1\"]}"), "control character"},
		{"bad escape", vector(`{"metric":{"a":"\x"},"value":[1,"1"]}`), "want an escape sequence"},
		{"bad hexadecimal", vector(`{"metric":{"a":"\u00g0"},"value":[1,"1"]}`), "want a hexadecimal digit"},
		{"bad word", `{"isPartial":truth}`, "want true"},
		{"comma after the last", `{"status":"success",}`, "want a string"},
		{"no comma", `{"status":"success" "data":{}}`, "want a comma or }"},
		{"unknown key holds rubbish", `{"x":[1,2,}`, "want a value"},
		{"deep nesting", `{"x":` + strings.Repeat("[", 100000), "nested deeper"},
		{"deep nesting of objects", `{"x":` + strings.Repeat(`{"a":`, 100000), "nested deeper"},
		{"endless number", `{"x":` + strings.Repeat("1", 100000), "longer than 512 digits"},
		{"endless label", vector(`{"metric":{"a":"` + strings.Repeat("x", maxString+lexerBuffer)), "longer than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := decodeString(tt.body)
			if err == nil {
				t.Fatalf("decoded to %+v, want an error", got)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %q, want %q in it", err, tt.want)
			}
			if len(err.Error()) > 300 {
				t.Errorf("error has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestDecodeStatusError(t *testing.T) {
	_, err := decodeString(`{"status":"error","errorType":"bad_data","error":"parse error: \"up ==\""}`)
	var remote *remoteError
	if !errors.As(err, &remote) || err.Error() != `bad_data: parse error: "up =="` {
		t.Errorf("got %v", err)
	}
}

func TestDecodeSkipsNativeHistograms(t *testing.T) {
	got, err := decodeString(vector(`{"metric":{"a":"1"},"histogram":[1,{"count":"3","sum":"2","buckets":[[1,"0","1","3"]]}]},` +
		`{"metric":{"a":"2"},"value":[1,"2"]}`))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got.Samples, []rules.Sample{sample(1000, 2, "a", "2")})
	equal(t, got.histograms, 1)
}

func TestDecodeKeepsTheFirstWarnings(t *testing.T) {
	got, err := decodeString(`{"status":"success","warnings":["one",2,"two","` + strings.Repeat("x", 1000) +
		`","four"],"infos":["x"],"data":{"resultType":"vector","result":[]}}`)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got.warned, 5)
	equal(t, got.warnings, []string{"one", "two", strings.Repeat("x", maxWarning)})
}

func TestDecodeStopsAtTheSizeLimit(t *testing.T) {
	body := vector(strings.Repeat(`{"metric":{"a":"b"},"value":[1,"1"]},`, 2000) + `{"metric":{},"value":[1,"1"]}`)
	if _, err := decodePrometheus(strings.NewReader(body), int64(len(body))); err != nil {
		t.Errorf("an answer as long as the limit: %v", err)
	}
	if _, err := decodePrometheus(strings.NewReader(body), int64(len(body))-1); !errors.Is(err, errTooLong) {
		t.Errorf("an answer longer than the limit: got %v", err)
	}
}

func TestDecodeReportsTheReadersError(t *testing.T) {
	broken := errors.New("cable cut")
	_, err := decodePrometheus(io.MultiReader(strings.NewReader(emptyVector[:20]), failingReader{broken}), defaultMaxResponseSize)
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// stuckReader returns nothing, again and again.
type stuckReader struct{}

func (stuckReader) Read([]byte) (int, error) { return 0, nil }

func TestDecodeGivesUpOnAReaderThatReturnsNothing(t *testing.T) {
	if _, err := decodePrometheus(stuckReader{}, defaultMaxResponseSize); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("got %v", err)
	}
}

// TestDecodeLeaksNothingBetweenRowsOrAnswers decodes, with one decoder, answers
// whose rows get shorter, and looks at the first results again at the end.
func TestDecodeLeaksNothingBetweenRowsOrAnswers(t *testing.T) {
	d := decoders.New().(*decoder)
	decode := func(body string) answer {
		d.begin(strings.NewReader(body), defaultMaxResponseSize)
		d.document()
		d.finish()
		ans, err := d.verdict()
		if err != nil {
			t.Fatal(err)
		}
		return ans
	}
	long := decode(`{"status":"success","isPartial":true,"warnings":["w"],"stats":{"seriesFetched":"5"},"data":{"resultType":"vector","result":[` +
		`{"metric":{"a":"aaaaaaaaaaaa","b":"bbbbbbbb","c":"cccc"},"value":[1,"111"]},{"metric":{"a":"x"},"value":[2,"2"]},` +
		`{"metric":{},"value":[3,"3"]}]}}`)
	short := decode(vector(`{"metric":{"z":"y"},"value":[4,"4"]}`))
	none := decode(emptyVector)

	equal(t, long.Samples, []rules.Sample{
		sample(1000, 111, "a", "aaaaaaaaaaaa", "b", "bbbbbbbb", "c", "cccc"), sample(2000, 2, "a", "x"), sample(3000, 3)})
	equal(t, short.Result, rules.Result{SeriesFetched: -1, Samples: []rules.Sample{sample(4000, 4, "z", "y")}})
	equal(t, none.Result, rules.Result{SeriesFetched: -1})
	equal(t, none.warned+short.warned, 0)
}

func TestDecodeManySeriesInOrder(t *testing.T) {
	for _, n := range []int{1, firstSamples, firstSamples + 1, 1000} {
		got, err := decodePrometheus(strings.NewReader(manySeries(n)), defaultMaxResponseSize)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Samples) != n {
			t.Fatalf("got %d samples, want %d", len(got.Samples), n)
		}
		for i, s := range got.Samples {
			if s.V != float64(i) || s.Labels.Len() != 8 || s.Labels.Get("__name__") != "http_requests_total" {
				t.Fatalf("sample %d of %d is %v", i, n, s)
			}
		}
	}
}
