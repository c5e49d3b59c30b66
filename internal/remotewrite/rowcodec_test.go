package remotewrite

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"pgregory.net/rapid"

	"tocsin/rules"
)

// sameSeries compares everything, values by bits.
func sameSeries(a, b rules.Series) bool {
	return labels.Equal(a.Labels, b.Labels) && a.Name == b.Name && a.Alert == b.Alert &&
		a.T == b.T && math.Float64bits(a.V) == math.Float64bits(b.V)
}

// alertRows returns the rows of n alerts that fire, as a rule writes them.
func alertRows(n int) []rules.Series {
	rows := make([]rules.Series, 0, 2*n)
	for i := range n {
		l := labels.FromStrings("alertgroup", "nodes", "alertname", "InstanceDown", "cluster", "eu-west-1",
			"instance", fmt.Sprintf("10.0.%d.%d:9100", i>>8, i&255), "job", "node", "severity", "page")
		rows = append(rows,
			rules.Series{Labels: l, Name: "ALERTS", Alert: rules.Firing, T: 1700000000000, V: 1},
			rules.Series{Labels: l, Name: "ALERTS_FOR_STATE", T: 1700000000000, V: 1699999000},
		)
	}
	return rows
}

func awkwardRows() []rules.Series {
	shared := labels.FromStrings("a", "1", "b", "2")
	return []rules.Series{
		{Labels: labels.EmptyLabels(), T: 0, V: 0},
		{Labels: shared, Name: "ALERTS", Alert: rules.Pending, T: math.MinInt64, V: math.Copysign(0, -1)},
		{Labels: shared, Name: "ALERTS", Alert: rules.Pending, T: math.MaxInt64, V: math.Float64frombits(value.StaleNaN)},
		{Labels: labels.FromStrings("a", "1"), T: -1, V: math.Float64frombits(value.NormalNaN)},
		{Labels: labels.FromStrings("a", "1", "b", "3", "c", strings.Repeat("long", 100_000)), V: math.Inf(1)},
		{Labels: labels.FromStrings("b", "3", "c", "\xff\x00\""), V: 1 << 53},
		{Labels: labels.EmptyLabels(), Name: "ALERTS_FOR_STATE", V: -(1<<53 + 2)},
		{Labels: labels.FromStrings("a", "1", "b", "2"), Name: "ALERTS", V: 0.1},
	}
}

func TestRowsAreRestoredToTheBit(t *testing.T) {
	for name, rows := range map[string][]rules.Series{
		"none": {}, "alerts": alertRows(300), "recorded": series(300, 1700000000123), "awkward": awkwardRows(),
	} {
		got, err := DecodeRows(AppendRows(nil, rows))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(rows, got, cmp.Comparer(sameSeries)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestAnyRowsAreRestored(t *testing.T) {
	text := rapid.StringN(0, 300, -1)
	rapid.Check(t, func(t *rapid.T) {
		sets := rapid.SliceOfN(rapid.MapOfN(text, text, 0, 6), 1, 5).Draw(t, "label sets")
		row := rapid.Custom(func(t *rapid.T) rules.Series {
			return rules.Series{
				Labels: labels.FromMap(rapid.SampledFrom(sets).Draw(t, "labels")),
				Name:   rapid.SampledFrom([]string{"", "ALERTS", "ALERTS_FOR_STATE", "x"}).Draw(t, "name"),
				Alert:  rapid.SampledFrom([]rules.State{rules.Inactive, rules.Pending, rules.Firing}).Draw(t, "alert"),
				T:      rapid.Int64().Draw(t, "t"), V: math.Float64frombits(rapid.Uint64().Draw(t, "v")),
			}
		})
		rows := rapid.SliceOfN(row, 0, 30).Draw(t, "rows")
		got, err := DecodeRows(AppendRows(nil, rows))
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(rows) {
			t.Fatalf("%d rows of %d", len(got), len(rows))
		}
		if d := cmp.Diff(rows, got, cmp.Comparer(sameSeries)); d != "" && len(rows) > 0 {
			t.Fatal(d)
		}
	})
}

func TestRowsAreAppended(t *testing.T) {
	rows := alertRows(3)
	got := AppendRows([]byte("before"), rows)
	if !bytes.Equal(got, append([]byte("before"), AppendRows(nil, rows)...)) {
		t.Errorf("%q", got)
	}
}

func TestRowsAboutAlertsTakeFewBytes(t *testing.T) {
	rows := alertRows(10_000)
	data := AppendRows(nil, rows)
	if perRow := len(data) / len(rows); perRow > 20 {
		t.Errorf("%d bytes for each row", perRow)
	}
}

func TestDecodedRowsShareLabelsAndKeepNothingElse(t *testing.T) {
	data := AppendRows(nil, alertRows(2))
	rows, err := DecodeRows(data)
	if err != nil {
		t.Fatal(err)
	}
	first := func(l labels.Labels) *byte { return unsafe.StringData(l.Get("alertname")) }
	if first(rows[0].Labels) != first(rows[1].Labels) {
		t.Error("the rows of an alert have labels of their own")
	}
	if first(rows[1].Labels) == first(rows[2].Labels) {
		t.Error("the labels of two alerts are parts of one text")
	}
	clear(data)
	if d := cmp.Diff(alertRows(2), rows, cmp.Comparer(sameSeries)); d != "" {
		t.Error(d)
	}
}

func TestDamagedRowsAreRefused(t *testing.T) {
	whole := AppendRows(nil, alertRows(2))
	for n := range whole {
		if _, err := DecodeRows(whole[:n]); err == nil {
			t.Errorf("the first %d of %d bytes are rows", n, len(whole))
		}
	}
	for name, data := range map[string][]byte{
		"decode rows: they are of version 2, only 1 is known":               {2, 0},
		"decode rows: 1 bytes follow the last":                              append(whole[:len(whole):len(whole)], 0),
		"decode rows: they end too early":                                   {1, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0},
		"decode rows: a number is too large":                                {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2},
		"decode rows: row 0: unknown head 0x1f":                             {1, 1, 0x1f, 0, 0},
		"decode rows: row 0: unknown head 0x3c":                             {1, 1, 0x3c, 0, 0},
		"decode rows: row 0: name 2 of 0":                                   {1, 1, 0x1c, 2, 0},
		"decode rows: row 0: label 0 is like one that is not there":         {1, 1, 0x18, 0, 1, 1, 1, 'a', 0},
		"decode rows: row 1: unknown tag 3 of label 0":                      {1, 2, 0x18, 0, 1, 2, 0, 0, 0, 0x18, 0, 1, 3, 0},
		"decode rows: row 0: a text of 16777216 bytes":                      {1, 1, 0x18, 0, 1, 2, 0x80, 0x80, 0x80, 0x08},
		"decode rows: row 0: they end too early":                            {1, 1, 0x18, 0, 100},
		"decode rows: row 0: label 1 is like one that is not there":         {1, 1, 0x18, 0, 2, 2, 1, 'a', 1, 'b', 0, 0, 0, 0},
		"decode rows: row 0: they end too early (in the middle of a value)": {1, 1, 0x0c, 0, 1, 2, 3},
	} {
		want, _, _ := strings.Cut(name, " (")
		if _, err := DecodeRows(data); err == nil || err.Error() != want {
			t.Errorf("%x: %v, want %s", data, err, want)
		}
	}
}

func FuzzDecodeRows(f *testing.F) {
	f.Add(AppendRows(nil, alertRows(3)))
	f.Add(AppendRows(nil, series(3, 5)))
	f.Add(AppendRows(nil, awkwardRows()[:4]))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := DecodeRows(data)
		if err != nil {
			return
		}
		again, err := DecodeRows(AppendRows(nil, rows))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(rows, again, cmp.Comparer(sameSeries)); d != "" {
			t.Fatal(d)
		}
	})
}

func BenchmarkAppendRows(b *testing.B) {
	for name, rows := range map[string][]rules.Series{"alerts": alertRows(10_000), "recorded": series(20_000, 1700000000000)} {
		b.Run(name, func(b *testing.B) {
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				dst = AppendRows(dst[:0], rows)
			}
			b.ReportMetric(float64(len(dst))/float64(len(rows)), "B/row")
		})
	}
}

func BenchmarkDecodeRows(b *testing.B) {
	data := AppendRows(nil, alertRows(10_000))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeRows(data); err != nil {
			b.Fatal(err)
		}
	}
}
