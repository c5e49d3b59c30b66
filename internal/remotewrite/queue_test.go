package remotewrite

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"pgregory.net/rapid"

	"tocsin/rules"
)

// queueModel drives a queue in one goroutine, as producers and senders would,
// and counts what becomes of each row.
type queueModel struct {
	*queue
	blocks  [][]part // held by the senders
	pausing []bool   // between two attempts

	appended, settled, rejected int
	dropped                     [reasons]int
	last                        map[string]int64 // time of the latest row that left, by series
	unsettled                   map[int64]int    // rows by the now of their batch
	numbers                     map[int64]uint64 // of batches, by now
	now                         int64
}

func newQueueModel(t *rapid.T) *queueModel {
	m := &queueModel{last: map[string]int64{}, unsettled: map[int64]int{}, numbers: map[int64]uint64{}}
	shards := rapid.IntRange(1, 4).Draw(t, "shards")
	m.queue = newQueue(limits{
		shards: shards, rows: rapid.IntRange(1, 40).Draw(t, "limit"), block: rapid.IntRange(1, 15).Draw(t, "block"),
		interval: time.Second, patience: 30 * time.Second, borrowed: rapid.Bool().Draw(t, "borrowed"),
	}, func(why reason, rows int) { m.dropped[why] += rows })
	m.blocks, m.pausing = make([][]part, shards), make([]bool, shards)
	return m
}

func (m *queueModel) put(t *rapid.T) {
	m.now++
	batch := make([]rules.Series, rapid.IntRange(1, 25).Draw(t, "rows"))
	for i := range batch {
		batch[i] = rules.Series{Labels: labels.FromStrings("n", fmt.Sprint(i%20)), T: m.now*100 + int64(i)}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // nobody drains while put waits
	m.appended += len(batch)
	number := m.seq + uint64(rapid.IntRange(1, 3).Draw(t, "number"))
	_, err := m.queue.put(ctx, number, batch)
	switch {
	case err == nil:
		m.unsettled[m.now], m.numbers[m.now] = len(batch), number
	case errors.Is(err, rules.ErrQueueFull), errors.Is(err, ErrClosed):
		m.rejected += len(batch)
	default:
		t.Fatalf("put: %v", err)
	}
}

// passes moves the queue's clock.
func (m *queueModel) passes(t *rapid.T) {
	m.began = m.began.Add(-time.Duration(rapid.IntRange(1, 40).Draw(t, "seconds")) * time.Second)
}

func (m *queueModel) sender(t *rapid.T) int {
	return rapid.IntRange(0, len(m.blocks)-1).Draw(t, "shard")
}

func (m *queueModel) take(t *rapid.T) {
	i := m.sender(t)
	if len(m.blocks[i]) == 0 && !m.pausing[i] {
		m.blocks[i], _, _ = m.look(&m.shards[i])
	}
}

func (m *queueModel) succeed(t *rapid.T) {
	i := m.sender(t)
	if len(m.blocks[i]) == 0 || m.pausing[i] {
		return
	}
	total := 0
	for b := range m.blocks[i] {
		total += m.blocks[i][b].len()
	}
	n := rapid.IntRange(1, total).Draw(t, "sent")
	left := n
	for b := range m.blocks[i] {
		p := &m.blocks[i][b]
		for j := 0; j < p.len() && left > 0; j++ {
			row := p.row(j)
			if name := row.Labels.Get("n"); row.T <= m.last[name] {
				t.Fatalf("series %s: time %d leaves after %d", name, row.T, m.last[name])
			} else {
				m.last[name] = row.T
			}
			m.unsettled[row.T/100]--
			left--
		}
	}
	m.settled += n
	m.blocks[i] = m.settle(i, n)
	if n == total && len(m.blocks[i]) != 0 {
		t.Fatal("a settled block is not empty")
	}
}

func (m *queueModel) fail(t *rapid.T) {
	if i := m.sender(t); len(m.blocks[i]) > 0 && !m.pausing[i] {
		m.pausing[i] = true
		m.failed(i)
	}
}

func (m *queueModel) tryAgain(t *rapid.T) {
	if i := m.sender(t); m.pausing[i] {
		m.pausing[i] = false
		if !m.resume(i) {
			m.blocks[i] = nil
		}
	}
}

// check holds the books: what was appended was written or refused, dropped for
// a reason, rejected or is queued.
func (m *queueModel) check(t *rapid.T) {
	queued, _ := m.length()
	held := 0
	for i := range m.shards {
		held += m.shards[i].rows()
	}
	if held != queued {
		t.Fatalf("shards hold %d rows, the queue counts %d", held, queued)
	}
	lost := m.dropped[givenUp] + m.dropped[closing]
	if m.stage == ended && m.limits.borrowed {
		lost = m.appended - m.settled - m.rejected // they went back to where they came from
	}
	if m.appended != m.settled+m.rejected+lost+queued {
		t.Fatalf("appended %d, settled %d, rejected %d, dropped %v, queued %d", m.appended, m.settled, m.rejected, m.dropped, queued)
	}
	if through := m.settledThrough(); m.stage < ended && (through == m.seq) != (queued == 0) {
		t.Fatalf("settled through %d of %d with %d rows queued", through, m.seq, queued)
	}
	m.checkBorrowed(t)
}

// checkBorrowed checks that exactly those batches are settled whose rows all were
// written or refused.
func (m *queueModel) checkBorrowed(t *rapid.T) {
	if !m.limits.borrowed {
		return
	}
	if m.dropped != [reasons]int{} || m.lost != 0 {
		t.Fatalf("borrowed rows are dropped: %v, %d lost", m.dropped, m.lost)
	}
	want := m.seq
	for now, number := range m.numbers {
		if m.unsettled[now] > 0 {
			want = min(want, number-1)
		}
	}
	if got := m.settledThrough(); got != want {
		t.Fatalf("settled through %d, want %d", got, want)
	}
}

func TestEveryRowIsAccountedForOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newQueueModel(t)
		t.Repeat(map[string]func(*rapid.T){
			"put": m.put, "put more": m.put, "time passes": m.passes, "take": m.take,
			"succeed": m.succeed, "fail": m.fail, "try again": m.tryAgain, "": m.check,
		})
		m.close()
		m.abort()
		for i := range m.blocks {
			if len(m.blocks[i]) > 0 && !m.pausing[i] {
				m.failed(i)
			}
		}
		m.end()
		m.check(t)
		if queued, _ := m.length(); queued != 0 || m.lostRows() != m.dropped[closing] {
			t.Fatalf("%d rows queued after abort, %d lost, %d counted", queued, m.lostRows(), m.dropped[closing])
		}
	})
}

func TestFifoGivesRowsBackInOrderAndMemoryToo(t *testing.T) {
	var f fifo
	next, want := 0, 0
	for range 3 {
		for range 3 * keptParts {
			f.push(part{batch: []rules.Series{{T: int64(next)}, {T: int64(next + 1)}, {T: int64(next + 2)}}})
			next += 3
			if next%2 == 0 {
				p := f.pop(2)
				for i := range p.len() {
					if got := p.row(i).T; got != int64(want) {
						t.Fatalf("row %d comes when %d is due", got, want)
					}
					want++
				}
			}
		}
		for !f.empty() {
			p := f.pop(4)
			want += p.len()
		}
		if want != next || f.rows != 0 {
			t.Fatalf("%d rows came back of %d", want, next)
		}
	}
	if cap(f.items) > keptParts {
		t.Errorf("an empty fifo keeps room for %d parts", cap(f.items))
	}
}

func TestSplitKeepsOrderAndLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		batch := series(rapid.IntRange(1, 100).Draw(t, "rows"), 1)
		shards := rapid.IntRange(1, maxConcurrency).Draw(t, "shards")
		s := splitRows(batch, shards)
		seen := 0
		for i := range shards {
			p, ok := s.part(batch, i)
			if !ok {
				continue
			}
			for j := range p.len() {
				row := p.row(j)
				if shards > 1 && shardOf(row, shards) != i {
					t.Fatalf("%s is in shard %d", row.Labels, i)
				}
				if j > 0 && p.row(j-1).V >= row.V {
					t.Fatal("rows of a shard changed places")
				}
			}
			seen += p.len()
		}
		if seen != len(batch) {
			t.Fatalf("%d of %d rows in shards", seen, len(batch))
		}
	})
}
