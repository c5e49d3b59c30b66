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

func track(points []rules.Point, pairs ...string) rules.Track {
	return rules.Track{Labels: labels.FromStrings(pairs...), Points: points}
}

func matrix(elements string) string {
	return `{"status":"success","data":{"resultType":"matrix","result":[` + elements + `]}}`
}

// values is a matrix of one series.
func values(points string) string { return matrix(`{"metric":{"a":"b"},"values":` + points + `}`) }

const emptyMatrix = `{"status":"success","data":{"resultType":"matrix","result":[]}}`

// seconds are the times 1s, 2s and so on up to 9s after the epoch.
var seconds = grid{1000, 9000, 1000}

// quarters are times 15s apart that begin a quarter of a second after a full one.
var quarters = grid{1795395825250, 1795395855250, 15000}

func decodeRangeString(s string, times grid) (answer, error) {
	return decodeRange(strings.NewReader(s), defaultMaxResponseSize, times)
}

var goodMatrices = []struct {
	name, body string
	times      grid
	want       []rules.Track
}{
	{"as Prometheus writes it",
		`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"temp","i":"0"},"values":[[1795395825.250,"3.625"],[1795395840.250,"-6.25"],[1795395855.250,"0.875"]]},{"metric":{"__name__":"temp","i":"2"},"values":[[1795395825.250,"-1.25"],[1795395855.250,"-2.5"]]}]}}`,
		quarters, []rules.Track{
			track([]rules.Point{{T: 1795395825250, V: 3.625}, {T: 1795395840250, V: -6.25}, {T: 1795395855250, V: 0.875}}, "__name__", "temp", "i", "0"),
			track([]rules.Point{{T: 1795395825250, V: -1.25}, {T: 1795395855250, V: -2.5}}, "__name__", "temp", "i", "2")}},
	{"as VictoriaMetrics writes it",
		`{"status":"success","isPartial":false,"data":{"resultType":"matrix","result":[{"metric":{"i":"0"},"values":[[1795395825.25,"+Inf"]]},{"metric":{},"values":[[1795395840.25,"1"],[1795395855.25,"1"]]}]},"stats":{"seriesFetched": "2","executionTimeMsec":0}}`,
		quarters, []rules.Track{
			track([]rules.Point{{T: 1795395825250, V: math.Inf(1)}}, "i", "0"),
			track([]rules.Point{{T: 1795395840250, V: 1}, {T: 1795395855250, V: 1}})}},
	{"nothing", emptyMatrix, seconds, nil},
	{"null", `{"status":"success","data":{"resultType":"matrix","result":null}}`, seconds, nil},
	{"type after the result", `{"data":{"result":[{"values":[[1,"1"]],"metric":{"a":"b"}}],"resultType":"matrix"},"status":"success"}`,
		seconds, []rules.Track{track([]rules.Point{{T: 1000, V: 1}}, "a", "b")}},
	{"not a number is a value", values(`[[1,"NaN"],[2,"-Inf"]]`),
		seconds, []rules.Track{track([]rules.Point{{T: 1000, V: math.NaN()}, {T: 2000, V: math.Inf(-1)}}, "a", "b")}},
	{"only the last of the times", values(`[[9,"1"]]`), seconds, []rules.Track{track([]rules.Point{{T: 9000, V: 1}}, "a", "b")}},
	{"a series without points is left out", matrix(`{"metric":{"a":"b"},"values":[]},{"metric":{"c":"d"},"values":[[3,"3"]]}`),
		seconds, []rules.Track{track([]rules.Point{{T: 3000, V: 3}}, "c", "d")}},
	{"native histograms are left out", matrix(`{"metric":{"a":"b"},"histograms":[[1,{"count":"3"}]]},{"metric":{"c":"d"},"values":[[3,"3"]],"histograms":[[4,{}],[5,{}]]}`),
		seconds, []rules.Track{track([]rules.Point{{T: 3000, V: 3}}, "c", "d")}},
	{"what nobody knows is skipped", matrix(`{"metric":{"a":"b"},"exemplars":[[1,{"x":[]}]],"values":[[1,"1"]]}`),
		seconds, []rules.Track{track([]rules.Point{{T: 1000, V: 1}}, "a", "b")}},
}

func unwrapped(r io.Reader) io.Reader { return r }

func TestDecodeGoodMatrices(t *testing.T) {
	for _, tt := range goodMatrices {
		t.Run(tt.name, func(t *testing.T) {
			for _, wrap := range []func(io.Reader) io.Reader{unwrapped, iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader} {
				got, err := decodeRange(wrap(strings.NewReader(tt.body)), defaultMaxResponseSize, tt.times)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(tt.want, got.tracks, compareLabels, cmpopts.EquateNaNs()); d != "" {
					t.Errorf("(-want +got)\n%s", d)
				}
			}
		})
	}
}

func TestDecodeCountsNativeHistogramsOfARange(t *testing.T) {
	got, err := decodeRangeString(matrix(`{"metric":{"a":"b"},"histograms":[[1,{}],[2,{}]]},{"metric":{},"values":[[3,"3"]],"histograms":[[4,{}]]}`), seconds)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got.histograms, 3)
}

func TestDecodeTakesTimesExactlyToTheMillisecond(t *testing.T) {
	times := grid{1700000000781, 1700000000783, 1}
	got, err := decodeRangeString(values(`[[1700000000.781,"1"],["1700000000.782","2"],[1700000000.7834,"3"]]`), times)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got.tracks[0].Points, []rules.Point{{T: 1700000000781, V: 1}, {T: 1700000000782, V: 2}, {T: 1700000000783, V: 3}})
}

// upTo returns s up to the end of part.
func upTo(s, part string) string { return s[:strings.Index(s, part)+len(part)] }

func TestDecodeBadMatrices(t *testing.T) {
	for _, tt := range []struct{ name, body, want string }{
		{"nothing", "", "ends early"},
		{"web page", "<html><body>502</body></html>", "unexpected '<' at byte 0"},
		{"cut short", emptyMatrix[:len(emptyMatrix)-3], "ends early"},
		{"cut in a point", upTo(values(`[[1,"1"],[2,"2"]]`), `[2,"`), "ends early"},
		{"cut between points", upTo(values(`[[1,"1"],[2,"2"]]`), `"1"],`), "ends early"},
		{"two answers", emptyMatrix + emptyMatrix, "want the end"},
		{"vector", emptyVector, `result type is "vector" where matrix is needed`},
		{"vector whose type comes late", `{"status":"success","data":{"result":[],"resultType":"vector"}}`, `result type is "vector"`},
		{"scalar", `{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}`, `result type is "scalar"`},
		{"scalar that says matrix", `{"status":"success","data":{"resultType":"matrix","result":[1,"1"]}}`, "does not hold the matrix"},
		{"vector that says matrix", matrix(`{"metric":{},"value":[1,"1"]}`), "a series has no values"},
		{"no type", `{"status":"success","data":{"result":[]}}`, `result type is ""`},
		{"no result", `{"status":"success","data":{"resultType":"matrix"}}`, "does not hold the matrix"},
		{"two results", `{"status":"success","data":{"resultType":"matrix","result":[],"result":[]}}`, "two results"},
		{"no status", `{"data":{"resultType":"matrix","result":[]}}`, `status of the answer is ""`},
		{"series is null", matrix(`null`), "want a series"},
		{"series without metric", matrix(`{"values":[[1,"1"]]}`), "no metric"},
		{"series with two metrics", matrix(`{"metric":{},"metric":{},"values":[[1,"1"]]}`), "two metrics"},
		{"series with its values twice", matrix(`{"metric":{},"values":[[1,"1"]],"values":[[2,"1"]]}`), "its values twice"},
		{"values are null", values(`null`), "want an array of values"},
		{"values are one point", values(`[1,"1"]`), "want a timestamp with a value"},
		{"point without value", values(`[[1]]`), "incomplete"},
		{"point of three", values(`[[1,"1","1"]]`), "want the end of a timestamp"},
		{"value is null", values(`[[1,null]]`), "is not a number"},
		{"value says nothing", values(`[[1,""]]`), "is not a number"},
		{"timestamp is NaN", values(`[["NaN","1"]]`), "is not a number"},
		{"timestamp out of range", values(`[[1e300,"1"]]`), "out of range"},
		{"time twice", values(`[[1,"1"],[1,"1"]]`), "not in order: 1000 comes after 1000"},
		{"time twice, once in an exponent", values(`[[1,"1"],[0.1e1,"1"]]`), "not in order"},
		{"backwards", values(`[[1,"1"],[3,"3"],[2,"2"]]`), "not in order: 2000 comes after 3000"},
		{"before the first", values(`[[0,"1"]]`), "0 is not among the times from 1000 to 9000, each 1000 ms"},
		{"after the last", values(`[[9,"1"],[10,"1"]]`), "10000 is not among the times"},
		{"between two", values(`[[1,"1"],[2.001,"1"]]`), "2001 is not among the times"},
		{"histograms are null", matrix(`{"metric":{},"histograms":null}`), "want an array of histograms"},
		{"label twice", matrix(`{"metric":{"a":"1","b":"2","a":"3"},"values":[[1,"1"]]}`), `label "a" appears twice`},
		{"endless number", values(`[[1,"1"],[` + strings.Repeat("1", 100000)), "longer than 512 digits"},
		{"endless label", matrix(`{"metric":{"a":"` + strings.Repeat("x", maxString+lexerBuffer)), "longer than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := decodeRangeString(tt.body, seconds)
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

func TestAnAnswerForOtherTimesIsToldApart(t *testing.T) {
	_, err := decodeRangeString(values(`[[1.5,"1"]]`), seconds)
	if !errors.Is(err, ErrNoRange) || !errors.Is(err, rules.ErrRejected) {
		t.Errorf("another time: got %v", err)
	}
	if _, err := decodeRangeString(values(`[[2,"1"],[1,"1"]]`), seconds); err == nil || errors.Is(err, ErrNoRange) {
		t.Errorf("times out of order: got %v", err)
	}
}

func TestDecodeRangeStopsAtTheSizeLimit(t *testing.T) {
	body, times := manyPoints(100, 100)
	if _, err := decodeRange(strings.NewReader(body), int64(len(body)), times); err != nil {
		t.Errorf("an answer as long as the limit: %v", err)
	}
	if _, err := decodeRange(strings.NewReader(body), int64(len(body))-1, times); !errors.Is(err, errTooLong) {
		t.Errorf("an answer longer than the limit: got %v", err)
	}
}

func TestATrackCostsTwoAllocations(t *testing.T) {
	const n = 2000
	body, times := manyPoints(n, 20)
	allocs := testing.AllocsPerRun(3, func() {
		if _, err := decodeRange(strings.NewReader(body), defaultMaxResponseSize, times); err != nil {
			t.Error(err)
		}
	})
	// What else goes on in the process is counted, too.
	if allocs > 2*n+n/4 {
		t.Errorf("%d tracks cost %.0f allocations", n, allocs)
	}
}

// TestDecodeKeepsAnswersOfOneDecoderApart decodes, with one decoder, a range, an
// instant query and a shorter range, and looks at all of them at the end.
func TestDecodeKeepsAnswersOfOneDecoderApart(t *testing.T) {
	d := decoders.New().(*decoder)
	decode := func(body string, times grid) answer {
		d.begin(strings.NewReader(body), defaultMaxResponseSize)
		d.grid = times
		d.document()
		d.finish()
		ans, err := d.verdict()
		if err != nil {
			t.Fatal(err)
		}
		return ans
	}
	long := decode(matrix(`{"metric":{"a":"b"},"values":[[1,"1"],[2,"2"],[3,"3"]]},{"metric":{"c":"d"},"values":[[4,"4"]]}`), seconds)
	instant := decode(series(`[5,"5"]`), grid{})
	short := decode(values(`[[6,"6"]]`), seconds)

	equal(t, long.tracks, []rules.Track{
		track([]rules.Point{{T: 1000, V: 1}, {T: 2000, V: 2}, {T: 3000, V: 3}}, "a", "b"), track([]rules.Point{{T: 4000, V: 4}}, "c", "d")})
	equal(t, instant.Samples, []rules.Sample{sample(5000, 5, "a", "b")})
	equal(t, len(instant.tracks), 0)
	equal(t, short.tracks, []rules.Track{track([]rules.Point{{T: 6000, V: 6}}, "a", "b")})
}

func TestADecoderGivesBackTheMemoryOfALongSeries(t *testing.T) {
	body, times := manyPoints(1, 2*maxKeptPoints)
	d := decoders.New().(*decoder)
	d.begin(strings.NewReader(body), defaultMaxResponseSize)
	d.grid = times
	d.document()
	if len(d.ans.tracks) != 1 || cap(d.points) < 2*maxKeptPoints {
		t.Fatalf("read %d tracks with room for %d points: %v", len(d.ans.tracks), cap(d.points), d.err)
	}
	d.release()
	if cap(d.points) > maxKeptPoints {
		t.Errorf("it keeps room for %d points", cap(d.points))
	}
}
