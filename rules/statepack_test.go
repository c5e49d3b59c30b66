package rules

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/s2"

	"tocsin/config"
)

// packedBlocks returns a stored state of these blocks, each as it was packed.
func packedBlocks(blocks ...[]byte) []byte {
	data := []byte{packedState}
	for _, b := range blocks {
		data = append(binary.AppendUvarint(data, uint64(len(b))), b...)
	}
	return data
}

func TestBlocksThatNobodyPacksAreNotRead(t *testing.T) {
	good := s2.Encode(nil, []byte{0, 0, 0})
	if _, _, err := decodeState(config.Key{}, packedBlocks(good)); err != nil {
		t.Fatalf("a state without rules: %v", err)
	}
	for name, data := range map[string][]byte{
		"no block":                   packedBlocks(),
		"empty block":                packedBlocks(good, nil),
		"block of nothing":           packedBlocks(good, s2.Encode(nil, nil)),
		"block that is too long":     packedBlocks(s2.Encode(nil, make([]byte, packBlock+1))),
		"block that says it is huge": packedBlocks([]byte{0xff, 0xff, 0xff, 0xff, 0x0f, 0}),
		"block that is not packed":   packedBlocks([]byte{3, 0xff, 0xff, 0xff}),
		"block that is cut":          packedBlocks(good)[:len(good)],
		"length without an end":      append([]byte{packedState}, bytes.Repeat([]byte{0xff}, 12)...),
		"more than the state":        packedBlocks(good, good),
	} {
		if _, _, err := decodeState(config.Key{}, data); !errors.Is(err, errBadState) {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}

// storedSeries returns the state of a recording rule that wrote a series with a label
// of this value.
func storedSeries(value string) []byte {
	return packState(packedState, func(b []byte, spill func([]byte) []byte) []byte {
		b = append(b, 0, 0, 1) // began, interval, one rule
		b = append(b, byte(config.Recording), 1, 'r', 0)
		b = append(b, make([]byte, 8+1+4+8+1)...) // hash, flags, times, labelled, history
		b = append(b, 0, 1, 1)                    // no alert, a series, of a label
		b = appendString(appendString(b, "a"), value)
		return spill(binary.AppendUvarint(b, 0))
	})
}

// Labels that are longer than labels can be make Prometheus' package panic.
func TestLabelThatIsTooLongIsNotRead(t *testing.T) {
	if _, _, err := decodeState(config.Key{}, storedSeries(strings.Repeat("x", maxText))); err != nil {
		t.Errorf("%d bytes: %v", maxText, err)
	}
	for _, n := range []int{maxText + 1, maxText + 2} {
		if _, _, err := decodeState(config.Key{}, storedSeries(strings.Repeat("x", n))); !errors.Is(err, errBadState) {
			t.Errorf("%d bytes: got error %v", n, err)
		}
	}
}

// A few bytes that say they are very many things are refused before there is room for
// them.
func TestStateThatIsMadeUpTakesLittle(t *testing.T) {
	zeros := s2.Encode(nil, make([]byte, packBlock))
	rules := s2.Encode(nil, binary.AppendUvarint([]byte{0, 0}, 1<<20))
	blocks := [][]byte{rules}
	for range 1 << 10 {
		blocks = append(blocks, zeros)
	}
	data := packedBlocks(blocks...)
	before := allocated()
	if _, _, err := decodeState(config.Key{}, data); !errors.Is(err, errBadState) {
		t.Errorf("got error %v", err)
	}
	if took := allocated() - before; took > 16<<20 {
		t.Errorf("%d bytes took %d bytes of memory", len(data), took)
	}
}

func TestFiringAlertWithoutABeginningIsNotRead(t *testing.T) {
	g := &config.Group{Rules: []config.Rule{{Kind: config.Alerting, Name: "A"}}}
	data := encodeState(g, []*RuleMemory{{told: &told{alerts: []Instance{{State: Firing, ActiveAt: 5}}}}}, 0)
	if _, _, err := decodeState(g.Key, data); !errors.Is(err, errBadState) {
		t.Errorf("got error %v", err)
	}
}

// Groups are stored side by side, and share what packing takes.
func TestStatesArePackedSideBySide(t *testing.T) {
	var all sync.WaitGroup
	for i := range 8 {
		g := &config.Group{Rules: []config.Rule{{Name: strings.Repeat(string(rune('a'+i)), (i+1)*packBlock/4)}}}
		all.Go(func() {
			for range 20 {
				cfg, _, err := decodeState(g.Key, encodeState(g, newMemories(1), 0))
				if err != nil || cfg.Rules[0].Name != g.Rules[0].Name {
					t.Errorf("state %d is read as another, error %v", i, err)
				}
			}
		})
	}
	all.Wait()
}

// What was stored is not written to by states that are packed later.
func TestPackedStateIsACopy(t *testing.T) {
	g := &config.Group{Rules: []config.Rule{{Name: "first"}}}
	data := encodeState(g, newMemories(1), 0)
	stored := bytes.Clone(data)
	g.Rules[0].Name = "later"
	encodeState(g, newMemories(1), 0)
	if diff := cmp.Diff(stored, data); diff != "" {
		t.Errorf("the state has changed (-stored +now):\n%s", diff)
	}
}
