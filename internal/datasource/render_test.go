package datasource

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"tocsin/rules"
)

var nan = math.NaN()

// golden returns an answer as a server gave it.
func golden(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func decodeRendered(s string) (answer, error) {
	return decodeGraphite(strings.NewReader(s), defaultMaxResponseSize)
}

func TestLastPointThatIsNotNullCounts(t *testing.T) {
	for name, want := range map[string][]rules.Sample{
		"graphite-web": {
			sample(1772366380000, 1.5, "name", "web.a.load"),
			sample(1772366390000, math.Inf(1), "name", "web.c.load", "offset", "inf"),
			sample(1772366400000, 4, "name", "web.d.load", "scale", "2.0", "smooth", "true"),
		},
		"victoriametrics": {
			sample(1772366400000, 9, "aggregatedBy", "sum", "name", "sumSeries(web.*.load)"),
			sample(1772366400000, -1.5e-7, "dc", "eu", "name", "web.a.load"),
			sample(1772366340000, 14, "name", "web.b.load", "summarize", "1min", "summarizeFunction", "sum"),
		},
		"untagged": {
			sample(1772366400000, 1, "name", "web.a.load"),
			sample(1772366400000, 2, "name", "web.b.load"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			ans, err := decodeRendered(golden(t, "render/"+name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			sameSamples(t, ans.Samples, want)
			equal(t, ans.SeriesFetched, -1)
		})
	}
}

func TestRenderedAnswersThatAreWrong(t *testing.T) {
	for body, want := range map[string]string{
		``:                                    "answer ends early, after 0 bytes",
		`null`:                                `unexpected 'n' at byte 0, want an array of series`,
		`[1]`:                                 `unexpected '1' at byte 1, want a series`,
		`[{}]`:                                "a series has no datapoints",
		`{}`:                                  "answer is an object where an array of series is needed",
		`[{"datapoints":[[1]]}]`:              "a datapoint is incomplete",
		`[{"datapoints":[[]]}]`:               "a datapoint is incomplete",
		`[{"datapoints":[[1,2,3]]}]`:          "want the end of a datapoint",
		`[{"datapoints":[["1",2]]}]`:          `"" before byte 17 is not a number`,
		`[{"datapoints":[[1,null]]}]`:         "is not a number",
		`[{"datapoints":[[1,1e99]]}]`:         "timestamp is out of range",
		`[{"datapoints":[],"tags":[]}]`:       "want an object of labels",
		`[{"datapoints":[],"tags":{"":1}}]`:   "label without a name",
		`[{"tags":{"a":{}},"datapoints":[]}]`: "want a string or a number",
		`[{"tags":{"a":"1","a":"2"},"datapoints":[[1,1]]}]`: `label "a" appears twice`,
		`[{"tags":{},"tags":{},"datapoints":[[1,1]]}]`:      "a series has its tags twice",
		`[{"datapoints":[],"datapoints":[[1,1]]}]`:          "a series has its datapoints twice",
		`[{"target":"a","datapoints":[[1,1]]}] x`:           "want the end",
		`[{"target":"a","datapoints":[[1,1]]}`:              "answer ends early",
	} {
		ans, err := decodeRendered(body)
		if err == nil || !strings.Contains(err.Error(), want) || ans.Samples != nil {
			t.Errorf("%s: got %v, %v; want %q", body, ans.Samples, err, want)
		}
	}
}

func TestRenderedAnswerThatIsTooLong(t *testing.T) {
	_, err := decodeGraphite(strings.NewReader(golden(t, "render/untagged.json")), 40)
	if !errors.Is(err, errTooLong) {
		t.Errorf("got %v", err)
	}
}

// A day of points costs no more than one.
func TestRenderedPointsCostNoMemory(t *testing.T) {
	const points = 200_000
	body := io.MultiReader(strings.NewReader(`[{"target":"a","tags":{"name":"a"},"datapoints":[[0.5,1]`),
		io.LimitReader(&repeated{s: `,[0.25,1772366400]`}, points*int64(len(`,[0.25,1772366400]`))), strings.NewReader(`]}]`))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ans, err := decodeGraphite(body, defaultMaxResponseSize)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	sameSamples(t, ans.Samples, []rules.Sample{sample(1772366400000, 0.25, "name", "a")})
	if got := after.TotalAlloc - before.TotalAlloc; got > 256<<10 {
		t.Errorf("decoding %d points took %d bytes of memory", points, got)
	}
}

// FuzzDecodeRendered holds the decoder against encoding/json: what it accepts must
// be JSON and mean the same, however it arrives.
func FuzzDecodeRendered(f *testing.F) {
	for _, name := range []string{"graphite-web", "victoriametrics", "untagged"} {
		f.Add([]byte(golden(f, "render/"+name+".json")))
	}
	f.Add([]byte(`{"error":"x"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := decodeGraphite(bytes.NewReader(body), defaultMaxResponseSize)
		again, errAgain := decodeGraphite(iotest.OneByteReader(bytes.NewReader(body)), defaultMaxResponseSize)
		if (err == nil) != (errAgain == nil) || err != nil && err.Error() != errAgain.Error() {
			t.Fatalf("error is %v, and byte by byte %v", err, errAgain)
		}
		if err != nil {
			return
		}
		sameSamples(t, again.Samples, got.Samples)
		want := lastValues(t, body)
		if len(got.Samples) != len(want) {
			t.Fatalf("got %d samples, want %d", len(got.Samples), len(want))
		}
		for i, s := range got.Samples {
			if s.V != want[i] {
				t.Fatalf("sample %d is %v, want %v", i, s.V, want[i])
			}
		}
	})
}

// lastValues reads an answer without the decoder: the values of the latest points
// that are not null.
func lastValues(t *testing.T, body []byte) (values []float64) {
	var all []map[string]json.RawMessage
	if err := json.Unmarshal(body, &all); err != nil {
		t.Fatalf("accepts what is not a list of series: %v", err)
	}
	for _, s := range all {
		var points [][2]json.RawMessage
		if err := json.Unmarshal(s["datapoints"], &points); err != nil {
			t.Fatalf("accepts datapoints that are none: %v", err)
		}
		latest, value := math.Inf(-1), math.NaN()
		for _, p := range points {
			at, _ := strconv.ParseFloat(string(p[1]), 64)
			if at = math.Round(at * 1000); string(p[0]) != "null" && at >= latest {
				latest = at
				value, _ = strconv.ParseFloat(string(p[0]), 64)
			}
		}
		if !math.IsNaN(value) {
			values = append(values, value)
		}
	}
	return values
}

func BenchmarkDecodeRendered(b *testing.B) {
	const n = 1000
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, `,{"target":"web.h%d.load","tags":{"dc":"eu","name":"web.h%d.load"},"datapoints":[`, i, i)
		for p := range 30 {
			fmt.Fprintf(&s, `[%d.5,%d],`, p, 1772366100+10*p)
		}
		s.WriteString(`[null,1772366400]]}`)
	}
	body := []byte("[" + s.String()[1:] + "]")
	r := bytes.NewReader(body)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r.Reset(body)
		ans, err := decodeGraphite(r, defaultMaxResponseSize)
		if err != nil || len(ans.Samples) != n {
			b.Fatal(len(ans.Samples), err)
		}
	}
}
