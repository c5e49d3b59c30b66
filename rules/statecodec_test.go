package rules

import (
	"bytes"
	"errors"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"pgregory.net/rapid"

	"tocsin/config"
)

func drawInstant(t *rapid.T, name string) Instant {
	return Instant(rapid.OneOf(rapid.Just[int64](0), rapid.Int64()).Draw(t, name))
}

func drawText(t *rapid.T, name string) string {
	return rapid.OneOf(rapid.StringN(0, 5, 20), rapid.SampledFrom([]string{"", "\x00", "\xff\xfe", strings.Repeat("long", 100)})).Draw(t, name)
}

func drawLabels(t *rapid.T, name string) labels.Labels {
	return labels.FromMap(rapid.MapOfN(rapid.StringN(1, 5, 20), rapid.StringN(1, 5, 300), 0, 4).Draw(t, name))
}

func drawInstance(t *rapid.T) Instance {
	a := Instance{
		State: State(rapid.IntRange(0, 2).Draw(t, "state")), Restored: rapid.Bool().Draw(t, "restored"),
		Result: drawLabels(t, "result"), Labels: drawLabels(t, "labels"), Annotations: drawLabels(t, "annotations"),
		Value:    rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), staleNaN, math.Inf(-1), math.Copysign(0, -1)})).Draw(t, "value"),
		ActiveAt: drawInstant(t, "activeAt"), StartsAt: drawInstant(t, "startsAt"), ResolvedAt: drawInstant(t, "resolvedAt"),
		KeepFiringSince: drawInstant(t, "keepFiringSince"), LastSent: drawInstant(t, "lastSent"),
	}
	if a.State == Firing && a.StartsAt == 0 {
		a.StartsAt = 1
	}
	a.ID = alertID(a.Labels)
	return a
}

// drawSeries returns labels of a series, of which there is at least one.
func drawSeries(t *rapid.T) labels.Labels {
	b := labels.NewBuilder(drawLabels(t, "series"))
	return b.Set(model.MetricNameLabel, "m").Labels()
}

func drawGap(t *rapid.T) span {
	interval := time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "step"))
	from := Instant(rapid.Int64Range(0, 1<<61).Draw(t, "from"))
	return span{from, from.Add(time.Duration(rapid.IntRange(0, 500).Draw(t, "steps")) * interval), interval}
}

func drawHistory(t *rapid.T) (h History) {
	for range rapid.IntRange(0, 3).Draw(t, "updates") {
		h = h.with(&Update{Began: drawInstant(t, "began"), At: drawInstant(t, "at"), Error: drawText(t, "error"), SeriesFetched: -1}, 20)
	}
	return h
}

func drawRuleMemory(t *rapid.T) *RuleMemory {
	m := &RuleMemory{
		History: drawHistory(t), evaluated: rapid.Bool().Draw(t, "evaluated"), restored: rapid.Bool().Draw(t, "restored"),
		failingSince: drawInstant(t, "failingSince"), lastAt: drawInstant(t, "lastAt"), answeredAt: drawInstant(t, "answeredAt"),
		interval: time.Duration(rapid.Int64().Draw(t, "interval")),
	}
	series := rapid.SliceOfN(rapid.Custom(drawSeries), 0, 3)
	m.alerted(rapid.SliceOfN(rapid.Custom(drawInstance), 0, 3).Draw(t, "alerts"), rapid.Uint64().Draw(t, "labelled"))
	m.recorded(series.Draw(t, "series"), rapid.SliceOfN(rapid.Custom(drawGap), 0, 3).Draw(t, "gaps"))
	return m
}

func drawRule(t *rapid.T) config.Rule {
	r := config.Rule{
		Kind: config.Kind(rapid.IntRange(0, 1).Draw(t, "kind")), Name: "n" + drawText(t, "name"), Expr: drawText(t, "expr"),
		For: time.Minute, Annotations: []config.Pair{{Name: "summary", Value: "not stored"}},
	}
	for range rapid.IntRange(0, 2).Draw(t, "labels") {
		r.Labels = append(r.Labels, config.Pair{Name: drawText(t, "label"), Value: drawText(t, "value")})
	}
	return r
}

// drawState draws a group with what it remembers.
func drawState(t *rapid.T) (*config.Group, Memory) {
	g := &config.Group{Key: config.Key{File: drawText(t, "file"), Name: drawText(t, "group")}, Interval: time.Duration(rapid.Int64().Draw(t, "groupInterval"))}
	m := Memory{began: drawInstant(t, "began"), interval: g.Interval}
	for range rapid.IntRange(0, 3).Draw(t, "rules") {
		g.Rules, m.rules = append(g.Rules, drawRule(t)), append(m.rules, drawRuleMemory(t))
	}
	return g, m
}

// What memories and label sets are made of is compared as it is; values by their
// bits.
var sameState = cmp.Options{
	cmp.AllowUnexported(Memory{}, RuleMemory{}, told{}, History{}, span{}, GroupStats{}),
	cmp.Comparer(func(a, b labels.Labels) bool { return a == b }),
	cmp.Comparer(func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }),
	cmpopts.EquateEmpty(),
}

func TestStoredStateIsTheMemoryAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, m := drawState(t)
		data := encodeState(g, m.rules, m.began)
		cfg, got, err := decodeState(g.Key, data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, got, sameState); diff != "" {
			t.Fatalf("memory (-stored +read):\n%s", diff)
		}
		if diff := cmp.Diff(identity(g), cfg, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("what groups and rules are told by (-stored +read):\n%s", diff)
		}
		if again := encodeState(g, got.rules, got.began); !bytes.Equal(again, data) {
			t.Fatal("what was read is stored otherwise")
		}
	})
}

// Strings that are read do not hold on to the whole of what was read.
func TestReadStateIsACopy(t *testing.T) {
	g := &config.Group{Key: config.Key{Name: "g"}, Rules: []config.Rule{{Name: "A"}}}
	data := encodeState(g, newMemories(1), 0)
	cfg, _, err := decodeState(g.Key, data)
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		data[i] = 'x'
	}
	if cfg.Rules[0].Name != "A" {
		t.Errorf("the rule is called %q now", cfg.Rules[0].Name)
	}
}

func TestTruncatedStateIsNotRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, m := drawState(t)
		data := encodeState(g, m.rules, m.began)
		short := data[:rapid.IntRange(0, len(data)-1).Draw(t, "length")]
		if _, _, err := decodeState(g.Key, short); !errors.Is(err, errBadState) {
			t.Fatalf("%d of %d bytes were read, error %v", len(short), len(data), err)
		}
		if _, _, err := decodeState(g.Key, append(slices.Clone(data), 0)); !errors.Is(err, errBadState) {
			t.Fatalf("something after the end was read, error %v", err)
		}
	})
}

// States of former versions of the program are not packed.
func TestStateThatIsNotPackedIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, m := drawState(t)
		_, got, err := decodeState(g.Key, UnpackedForTest(encodeState(g, m.rules, m.began)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, got, sameState); diff != "" {
			t.Fatalf("memory (-stored +read):\n%s", diff)
		}
	})
}

// A state that is longer than a block is packed in several.
func TestLongStateIsReadAsItWas(t *testing.T) {
	g := &config.Group{Rules: []config.Rule{{Kind: config.Alerting, Name: "A"}, {Name: "r"}}}
	var alerts []Instance
	var series []labels.Labels
	for i := range 3000 {
		l := labels.FromStrings("instance", strconv.Itoa(i), "text", strings.Repeat(strconv.Itoa(i), 30))
		alerts = append(alerts, Instance{State: Firing, StartsAt: 1, Result: l, Labels: l, ID: alertID(l)})
		series = append(series, l)
	}
	alerts[7].Annotations = labels.FromStrings("long", strings.Repeat("long", packBlock))
	m := Memory{rules: []*RuleMemory{{lastAt: 1, told: &told{alerts: alerts}}, {told: &told{series: series}}}}
	data := encodeState(g, m.rules, 0)
	if len(data) > 200_000 {
		t.Errorf("the state has %d bytes", len(data))
	}
	_, got, err := decodeState(g.Key, data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, got, sameState); diff != "" {
		t.Fatalf("memory (-stored +read):\n%s", diff)
	}
}

func TestStateOfAnotherVersionIsNamed(t *testing.T) {
	_, _, err := decodeState(config.Key{}, []byte{packedState + 1, 0, 0, 0})
	const want = "group state of version 4; this program knows versions 2 and 3"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// The history of a rule may be damaged where nothing else is.
func TestDamagedHistoryEndsWhereItIsDamaged(t *testing.T) {
	h := HistoryOf(Update{Began: 1, Error: "one"}, Update{Began: 2, Error: "two"}, Update{Began: 3, Error: "three"})
	for n := range len(h.packed) {
		cut := History{h.packed[:n]}
		got := unpacked(cut)
		if want := unpacked(h); len(got) >= 3 || !slices.Equal(got, want[3-len(got):]) {
			t.Fatalf("of %d bytes %+v is read, want the newest of what was there", n, got)
		}
		if more := cut.with(&Update{Began: 4}, 20); more.Len() != len(got)+1 {
			t.Errorf("after another evaluation %d are remembered, want %d", more.Len(), len(got)+1)
		}
	}
}

func TestGapWithoutATimeIsNotRead(t *testing.T) {
	for name, gap := range map[string]span{
		"no interval":       {10, 20, 0},
		"negative interval": {10, 20, -1},
		"ends before":       {20, 10, 5},
		"too long":          {math.MinInt64, math.MaxInt64, 1},
		"longer than time":  {math.MinInt64, math.MaxInt64, 1000},
	} {
		g := &config.Group{Rules: []config.Rule{{Name: "r"}}}
		data := encodeState(g, []*RuleMemory{{told: &told{gaps: []span{gap}}}}, 0)
		if _, _, err := decodeState(g.Key, data); !errors.Is(err, errBadState) {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}

// FuzzDecodeState reads anything without panicking and without taking more memory than
// a few times its size, once unpacked; what it accepts is stored and read again as the
// same.
func FuzzDecodeState(f *testing.F) {
	g := &config.Group{Interval: time.Minute, Rules: []config.Rule{
		{Kind: config.Alerting, Name: "A", Labels: []config.Pair{{Name: "l", Value: "v"}}}, {Name: "r", Expr: "x"},
	}}
	l := labels.FromStrings("a", "b", "c", "d")
	full := encodeState(g, []*RuleMemory{
		{told: &told{alerts: []Instance{{State: Firing, Labels: l, Result: l, ActiveAt: 5, StartsAt: 6, LastSent: 7}}, labelled: 3}, lastAt: 7},
		{told: &told{series: []labels.Labels{l}, gaps: []span{{10, 20, 5}}}, History: HistoryOf(Update{Began: 5, Error: "e"})},
	}, 9)
	f.Add(full)
	f.Add(full[:len(full)/2])
	plain := UnpackedForTest(full)
	f.Add(plain)
	f.Add(plain[:len(plain)/2])
	f.Add([]byte{plainState, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Add([]byte{packedState, 4, 0x80, 0x80, 4, 0})
	f.Add([]byte{packedState + 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		const most = 64 // times the size: a label set of one byte is a string in memory
		before := allocated()
		cfg, m, err := decodeState(config.Key{Name: "g"}, data)
		took, size := allocated()-before, len(data)
		if size > 0 && data[0] == packedState {
			u, _ := newUnpacker(data[1:])
			size += u.left
		}
		if took > uint64(most*size+64<<10) {
			t.Fatalf("%d bytes took %d bytes of memory", size, took)
		}
		if err != nil {
			return
		}
		for i := range m.rules {
			m.rules[i].History.Len()
		}
		cfg.Interval = m.interval
		for i := range cfg.Rules {
			cfg.Rules[i].Expr = "" // a hash of the hash says nothing
		}
		_, again, err := decodeState(cfg.Key, encodeState(cfg, m.rules, m.began))
		if err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		if diff := cmp.Diff(m, again, sameState); diff != "" {
			t.Fatalf("memory (-read +read again):\n%s", diff)
		}
	})
}

// allocated returns how many bytes were ever allocated.
func allocated() uint64 {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.TotalAlloc
}

func BenchmarkAppendState(b *testing.B) {
	b.ReportAllocs()
	g := &config.Group{Interval: time.Minute}
	var memories []*RuleMemory
	l := labels.FromStrings("alertname", "A", "instance", "localhost:9090", "job", "prometheus")
	for range 100 {
		g.Rules = append(g.Rules, config.Rule{Kind: config.Alerting, Name: "A", Expr: "up == 0"})
		memories = append(memories, &RuleMemory{told: &told{alerts: []Instance{{State: Firing, Labels: l, Result: l, ActiveAt: 1 << 60}}}, lastAt: 1 << 60})
	}
	for b.Loop() {
		b.SetBytes(int64(len(encodeState(g, memories, 1<<60))))
	}
}
