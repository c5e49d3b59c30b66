package datasource

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

// FuzzDecode holds the decoder against encoding/json: what it accepts must be
// JSON and mean the same, however it arrives.
func FuzzDecode(f *testing.F) {
	for _, tt := range goodAnswers {
		f.Add([]byte(tt.body))
	}
	f.Add([]byte(manySeries(3)))
	f.Add([]byte(vector(`{"metric":{"a":"1"},"histogram":[1,{"count":"3"}]}`)))
	f.Add([]byte(`{"status":"error","errorType":"bad_data","error":"x"}`))
	f.Add([]byte(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"]]}]}}`))
	f.Add([]byte(`{"x":[true,false,null,-0.1e+5,"\u00e9"],"status":"success"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := decodePrometheus(bytes.NewReader(body), defaultMaxResponseSize)
		again, errAgain := decodePrometheus(iotest.OneByteReader(bytes.NewReader(body)), defaultMaxResponseSize)
		if (err == nil) != (errAgain == nil) || err != nil && err.Error() != errAgain.Error() {
			t.Fatalf("error is %v, and byte by byte %v", err, errAgain)
		}
		if err != nil {
			return
		}
		sameSamples(t, again.Samples, got.Samples)
		if !json.Valid(body) {
			t.Fatal("accepts what is not JSON")
		}
		sameSamples(t, got.Samples, oracle(t, body))
	})
}

func sameSamples(t *testing.T, got, want []rules.Sample) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d samples, want %d", len(got), len(want))
	}
	for i, g := range got {
		w := want[i]
		sameValue := g.V == w.V || math.IsNaN(g.V) && math.IsNaN(w.V)
		if !labels.Equal(replaceInvalid(g.Labels), replaceInvalid(w.Labels)) || !sameValue || g.T != w.T {
			t.Fatalf("sample %d: got %v, want %v", i, g, w)
		}
	}
}

// replaceInvalid does to labels what encoding/json does to strings that are not
// UTF-8; the decoder keeps them.
func replaceInvalid(ls labels.Labels) labels.Labels {
	m := map[string]string{}
	ls.Range(func(l labels.Label) { m[string([]rune(l.Name))] = string([]rune(l.Value)) })
	return labels.FromMap(m)
}

// oracle reads with encoding/json the samples of an answer the decoder accepts.
func oracle(t *testing.T, body []byte) []rules.Sample {
	t.Helper()
	data := oracleData(t, body)
	result, _ := data["result"].([]any)
	if data["resultType"] == "scalar" {
		return []rules.Sample{oraclePair(t, result)}
	}
	var samples []rules.Sample
	for _, e := range result {
		element := e.(map[string]any)
		value, ok := element["value"].([]any)
		if !ok {
			continue // a native histogram
		}
		s := oraclePair(t, value)
		s.Labels = oracleLabels(element)
		samples = append(samples, s)
	}
	return samples
}

func oracleData(t *testing.T, body []byte) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var doc map[string]any
	if err := d.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	return doc["data"].(map[string]any)
}

func oracleLabels(element map[string]any) labels.Labels {
	metric, _ := element["metric"].(map[string]any)
	set := map[string]string{}
	for name, v := range metric {
		if v != "" {
			set[name] = v.(string)
		}
	}
	return labels.FromMap(set)
}

func oraclePair(t *testing.T, pair []any) (s rules.Sample) {
	t.Helper()
	v, err := strconv.ParseFloat(oracleText(pair[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	text := oracleText(pair[0])
	ms, ok := strings.CutSuffix(text, ".123") // a form whose value is plain to see
	if n, err := strconv.ParseInt(ms, 10, 32); ok && err == nil && n > 0 {
		return rules.Sample{T: n*1000 + 123, V: v}
	}
	at, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseMillis([]byte(text))
	// Seconds in a float64 are good for milliseconds only up to a point.
	if err != nil || math.Abs(float64(got)-at*1000) > 1+math.Abs(at*1000)/1e12 {
		t.Fatalf("timestamp %q: got %d, %v", text, got, err)
	}
	return rules.Sample{T: got, V: v}
}

func oracleText(v any) string {
	if n, ok := v.(json.Number); ok {
		return n.String()
	}
	return v.(string)
}

// FuzzRequestForm holds the form's escaping against what a server makes of it.
func FuzzRequestForm(f *testing.F) {
	f.Add("sum(rate(x[5m])) > 0\n", "name", "a&b=c%+ü\x00\xff")
	f.Fuzz(func(t *testing.T, expr, name, value string) {
		args := []argument{{"query", expr}, {name, value}}
		got, err := splitQuery(string(appendForm(nil, args)))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, len(got), 2)
		if got[0] != args[0] || got[1] != args[1] {
			t.Fatalf("got %q, want %q", got, args)
		}
	})
}
