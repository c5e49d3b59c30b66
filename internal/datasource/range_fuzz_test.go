package datasource

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
	"testing/iotest"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

// everyMillisecond is all the times a fuzzed matrix may have.
var everyMillisecond = grid{0, math.MaxInt64 / 1000, 1}

// FuzzDecodeRange holds the reading of matrices against encoding/json: what is
// accepted must be JSON, mean the same however it arrives, and be in order.
func FuzzDecodeRange(f *testing.F) {
	for _, tt := range goodMatrices {
		f.Add([]byte(tt.body))
	}
	body, _ := manyPoints(3, 5)
	f.Add([]byte(body))
	f.Add([]byte(emptyVector))
	f.Add([]byte(matrix(`{"metric":{},"value":[1,"1"]}`)))
	f.Add([]byte(values(`[[1,"1"],[1,"2"],[0.5,"1"]]`)))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := decodeRange(bytes.NewReader(body), defaultMaxResponseSize, everyMillisecond)
		again, errAgain := decodeRange(iotest.OneByteReader(bytes.NewReader(body)), defaultMaxResponseSize, everyMillisecond)
		if (err == nil) != (errAgain == nil) || err != nil && err.Error() != errAgain.Error() {
			t.Fatalf("error is %v, and byte by byte %v", err, errAgain)
		}
		if err != nil {
			return
		}
		sameTracks(t, again.tracks, got.tracks)
		if !json.Valid(body) {
			t.Fatal("accepts what is not JSON")
		}
		sameTracks(t, got.tracks, oracleTracks(t, body))
	})
}

func sameTracks(t *testing.T, got, want []rules.Track) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d tracks, want %d", len(got), len(want))
	}
	for i, g := range got {
		w := want[i]
		if !labels.Equal(replaceInvalid(g.Labels), replaceInvalid(w.Labels)) || len(g.Points) != len(w.Points) {
			t.Fatalf("track %d: got %v, want %v", i, g, w)
		}
		for n, p := range g.Points {
			if n > 0 && p.T <= g.Points[n-1].T {
				t.Fatalf("track %d is not in order: %v", i, g)
			}
			if sameValue := p.V == w.Points[n].V || math.IsNaN(p.V) && math.IsNaN(w.Points[n].V); !sameValue || p.T != w.Points[n].T {
				t.Fatalf("track %d: got %v, want %v", i, g, w)
			}
		}
	}
}

// oracleTracks reads with encoding/json the tracks of an answer the decoder accepts.
func oracleTracks(t *testing.T, body []byte) []rules.Track {
	t.Helper()
	var tracks []rules.Track
	result, _ := oracleData(t, body)["result"].([]any)
	for _, e := range result {
		element := e.(map[string]any)
		pairs, _ := element["values"].([]any)
		if len(pairs) == 0 {
			continue // native histograms, or nothing
		}
		track := rules.Track{Labels: oracleLabels(element)}
		for _, pair := range pairs {
			s := oraclePair(t, pair.([]any))
			track.Points = append(track.Points, rules.Point{T: s.T, V: s.V})
		}
		tracks = append(tracks, track)
	}
	return tracks
}
