package remotewrite

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"pgregory.net/rapid"

	"tocsin/rules"
)

// sameRow compares by bits, as NaN differs from itself.
func sameRow(a, b rules.Series) bool {
	return labels.Equal(a.Labels, b.Labels) && a.T == b.T && math.Float64bits(a.V) == math.Float64bits(b.V)
}

var everyProtocol = []protocol{victoriaMetrics, prometheus1, prometheus2}

func roundTrip(t interface{ Fatal(...any) }, block []part, limit int, p protocol) []rules.Series {
	e, err := newEncoder()
	if err != nil {
		t.Fatal(err)
	}
	data, n := e.encode(nil, block, limit, p)
	h := http.Header{}
	p.setHeaders(h)
	rows, err := decode(h, data)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != n {
		t.Fatal(fmt.Sprintf("encode tells of %d rows, the request has %d", n, len(rows)))
	}
	return rows
}

func TestEncodeKeepsAwkwardLabelValuesAndStaleMarkers(t *testing.T) {
	batch := []rules.Series{
		{Labels: labels.FromStrings("__name__", "a:b", "x", `comma,equals="quote"`, "y", "line\nbreak\\", "z", "grüße 世界"), T: 1700000000123, V: math.Copysign(0, -1)},
		{Labels: labels.FromStrings("__name__", "a:b", "x", strings.Repeat("long", 5000)), T: -1, V: math.Float64frombits(value.StaleNaN)},
		{Labels: labels.FromStrings("__name__", "c"), T: 0, V: math.Inf(-1)},
		{Labels: labels.EmptyLabels(), T: math.MaxInt64, V: math.Float64frombits(value.NormalNaN)},
	}
	for _, p := range everyProtocol {
		got := roundTrip(t, []part{{batch: batch}}, 100, p)
		if d := cmp.Diff(batch, got, cmp.Comparer(sameRow)); d != "" {
			t.Errorf("%s: %s", p, d)
		}
	}
}

func TestEncodedLabelsAreSorted(t *testing.T) {
	batch := []rules.Series{{Labels: labels.FromStrings("z", "1", "__name__", "m", "a", "2")}}
	got := roundTrip(t, []part{{batch: batch}}, 1, victoriaMetrics)
	var names []string
	got[0].Labels.Range(func(l labels.Label) { names = append(names, l.Name) })
	if d := cmp.Diff([]string{"__name__", "a", "z"}, names); d != "" {
		t.Error(d)
	}
}

func TestEncodeEndsEarlyWhenLabelsAreLong(t *testing.T) {
	batch := make([]rules.Series, 3)
	for i := range batch {
		batch[i].Labels = labels.FromStrings("__name__", strings.Repeat("x", maxRawBytes/2))
	}
	for _, p := range everyProtocol[:2] {
		if got := roundTrip(t, []part{{batch: batch}}, 100, p); len(got) != 2 {
			t.Errorf("%s: %d rows in a request, want 2", p, len(got))
		}
	}
	for i := range batch {
		batch[i].Labels = labels.FromStrings("__name__", strings.Repeat(string('x'+rune(i)), maxRawBytes/2))
	}
	if got := roundTrip(t, []part{{batch: batch}}, 100, prometheus2); len(got) != 2 {
		t.Errorf("%s: %d rows in a request, want 2", prometheus2, len(got))
	}
}

func TestEncodeAnything(t *testing.T) {
	text := rapid.StringN(0, 300, -1)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "rows")
		batch := make([]rules.Series, n)
		for i := range batch {
			batch[i] = rules.Series{
				Labels: labels.FromMap(rapid.MapOfN(text, text, 0, 8).Draw(t, "labels")),
				T:      rapid.Int64().Draw(t, "t"), V: math.Float64frombits(rapid.Uint64().Draw(t, "v")),
			}
		}
		p := rapid.SampledFrom(everyProtocol).Draw(t, "protocol")
		got := roundTrip(t, []part{{batch: batch}}, n, p)
		if d := cmp.Diff(batch, got, cmp.Comparer(sameRow)); d != "" {
			t.Fatal(d)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	const n = 10_000
	batch := make([]rules.Series, n)
	for i := range batch {
		batch[i] = rules.Series{
			Labels: labels.FromStrings("__name__", "job:http_requests:rate5m", "cluster", "eu-west-1", "namespace", "production",
				"pod", fmt.Sprintf("api-%d-%x", i%500, i*7919), "instance", fmt.Sprintf("10.0.%d.%d:9100", i>>8&255, i&255), "job", "api"),
			T: 1700000000000, V: rand.Float64() * 1000,
		}
	}
	block := []part{{batch: batch}}
	for _, p := range everyProtocol {
		b.Run([]string{"zstd", "snappy", "2.0"}[p], func(b *testing.B) {
			e, err := newEncoder()
			if err != nil {
				b.Fatal(err)
			}
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				dst, _ = e.encode(dst, block, n, p)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/series")
			b.ReportMetric(float64(len(dst))/n, "B/series")
		})
	}
}
