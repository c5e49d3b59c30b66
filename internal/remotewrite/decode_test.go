package remotewrite

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"

	"tocsin/rules"
)

// spoken names the protocol of a request: zstd, snappy or 2.0.
func spoken(h http.Header) string {
	if strings.Contains(h.Get("Content-Type"), "io.prometheus.write.v2.Request") {
		return "2.0"
	}
	return h.Get("Content-Encoding")
}

// decode reads the rows of a request as storage would that has read its headers.
func decode(h http.Header, body []byte) ([]rules.Series, error) {
	raw, err := decompress(h.Get("Content-Encoding"), body)
	if err != nil {
		return nil, err
	}
	if spoken(h) == "2.0" {
		return decodeSymbols(raw)
	}
	var w prompb.WriteRequest
	if err := w.Unmarshal(raw); err != nil {
		return nil, err
	}
	var rows []rules.Series
	for _, ts := range w.Timeseries {
		b := labels.NewScratchBuilder(len(ts.Labels))
		for _, l := range ts.Labels {
			b.Add(l.Name, l.Value)
		}
		if len(ts.Samples) != 1 {
			return nil, fmt.Errorf("series with %d samples", len(ts.Samples))
		}
		rows = append(rows, rules.Series{Labels: b.Labels(), T: ts.Samples[0].Timestamp, V: ts.Samples[0].Value})
	}
	return rows, nil
}

func decompress(encoding string, body []byte) ([]byte, error) {
	switch encoding {
	case "zstd":
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		defer d.Close()
		return d.DecodeAll(body, nil)
	case "snappy":
		return snappy.Decode(nil, body)
	}
	return nil, fmt.Errorf("encoding %q", encoding)
}

func countSymbols(t testing.TB, raw []byte) int {
	t.Helper()
	var w writev2.Request
	if err := w.Unmarshal(raw); err != nil {
		t.Fatal(err)
	}
	return len(w.Symbols)
}

// decodeSymbols reads a request of remote write 2.0.
func decodeSymbols(raw []byte) ([]rules.Series, error) {
	var w writev2.Request
	if err := w.Unmarshal(raw); err != nil {
		return nil, err
	}
	if len(w.Symbols) == 0 || w.Symbols[0] != "" {
		return nil, fmt.Errorf("symbols %.50q do not begin with the empty one", w.Symbols)
	}
	rows := make([]rules.Series, len(w.Timeseries))
	b := labels.NewScratchBuilder(0)
	for i, ts := range w.Timeseries {
		l, err := ts.ToLabels(&b, w.Symbols)
		if err != nil {
			return nil, err
		}
		if len(ts.Samples) != 1 {
			return nil, fmt.Errorf("series with %d samples", len(ts.Samples))
		}
		rows[i] = rules.Series{Labels: l, T: ts.Samples[0].Timestamp, V: ts.Samples[0].Value}
	}
	return rows, nil
}
