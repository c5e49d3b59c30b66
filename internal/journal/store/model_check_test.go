package store

import (
	"fmt"
	"io"
	"strconv"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func (m *storeModel) dropped(target string) int {
	n, err := strconv.Atoi(m.metric(fmt.Sprintf(`tocsin_journal_dropped_samples_total{target=%q,reason="journal_full"}`, target)))
	if err != nil {
		m.t.Fatal(err)
	}
	return n
}

// check compares everything.
func (m *storeModel) check(t *rapid.T) {
	if diff := cmp.Diff(m.want.values, m.values()); diff != "" {
		t.Fatalf("values (-want +got):\n%.2000s", diff)
	}
	for _, name := range m.options.Targets {
		m.checkDropped(t, name)
		m.checkRows(t, name)
	}
	if size := m.disk.bytes(); m.ledger.bytes != size {
		t.Fatalf("%d bytes on disk, and %d are known", size, m.ledger.bytes)
	}
}

// checkDropped finds out what was dropped, and whether it was counted.
func (m *storeModel) checkDropped(t *rapid.T, name string) {
	target, got := m.targets[name], m.ledger.target(name).settled
	if got < target.settled || got > target.settled && m.options.MaxBytes == 0 {
		t.Fatalf("%s has settled %d, want %d", name, got, target.settled)
	}
	for ; target.settled < got; target.settled++ {
		samples := len(m.want.rows[target.settled+1])
		target.lostMost += samples
		if target.settled >= target.done {
			target.lostLeast += samples
		}
	}
	if n := m.dropped(name); n < target.lostLeast || n > target.lostMost {
		t.Fatalf("%d samples count as dropped, want %d to %d", n, target.lostLeast, target.lostMost)
	}
}

func (m *storeModel) checkRows(t *rapid.T, name string) {
	reader, target := m.Reader(name), m.targets[name]
	b, err := reader.Next()
	for seq := target.settled + 1; seq <= m.want.last; seq++ {
		if m.want.rows[seq] == "" || seq <= target.done && b.Seq != seq {
			continue
		}
		if err != nil || b.Seq != seq || string(b.Rows) != m.want.rows[seq] {
			t.Fatalf("%s reads batch %d with %d samples and %v, want batch %d", name, b.Seq, b.Samples, err, seq)
		}
		b, err = reader.Next()
	}
	if err != io.EOF {
		t.Fatalf("%s reads batch %d and %v, want the end", name, b.Seq, err)
	}
}
