package journal

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"tocsin/rules"
)

// text says what is in q: the commits in memory, "mem" for one that is not on disk,
// and "disk" for everything stored up to a commit.
func (q *queue) text() string {
	var all []string
	for _, p := range q.parcels {
		switch {
		case p.stored:
			all = append(all, fmt.Sprint("disk ", p.seq))
		case p.seq == 0:
			all = append(all, "mem")
		default:
			all = append(all, fmt.Sprint(p.seq))
		}
	}
	return strings.Join(all, ", ")
}

func (q *queue) want(t *testing.T, want string) {
	t.Helper()
	if got := q.text(); got != want {
		t.Fatalf("queue is %q, want %q", got, want)
	}
}

func some(n int) []rules.Series { return make([]rules.Series, n) }

func TestQueueKeepsTheOrderOfMemoryAndDisk(t *testing.T) {
	var q queue
	q.addStored(4)
	q.want(t, "disk 4")
	q.pop()
	q.add(parcel{seq: 5, series: some(maxFresh)})
	q.add(parcel{seq: 6, series: some(1)})
	q.add(parcel{seq: 7, series: some(1)})
	q.want(t, "5, disk 7")
	q.add(parcel{series: some(2)})
	q.add(parcel{seq: 9, series: some(1)})
	q.want(t, "5, disk 7, mem, disk 9")
	q.pop()
	q.add(parcel{seq: 10, series: some(1)}) // there is room, but it is after 9
	q.want(t, "disk 7, mem, disk 10")
	q.pop()
	q.pop()
	q.pop()
	q.add(parcel{seq: 11, series: some(1)})
	q.want(t, "11")
	q.pop()
	if !q.empty() || q.samples != 0 || q.stored != 0 {
		t.Errorf("left over: %+v", q)
	}
}

func TestUnreadableParcelMakesWayForMemory(t *testing.T) {
	var q queue
	q.addStored(4)
	q.add(parcel{series: some(1)})
	q.postpone()
	q.want(t, "mem, disk 4")
	q.add(parcel{seq: 6, series: some(1)})
	q.want(t, "mem, disk 6")
	q.add(parcel{series: some(1)})
	q.pop()
	q.add(parcel{seq: 8, series: some(1)})
	q.want(t, "disk 6, mem, disk 8")
	q.postpone()
	q.want(t, "mem, disk 8")
}

func TestWhatIsOnNoDiskAndHasNoRoomIsLostAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := newWorld(t, t.TempDir(), newSink(true))
		defer w.stop()
		synctest.Wait()
		p := w.journal.pumps[0]
		p.offer(parcel{series: some(maxFresh + 1)})
		p.offer(parcel{series: some(maxUnkept - maxFresh - 1)})
		p.offer(parcel{series: some(3)})
		if !w.metric("tocsin_journal_lost_samples_total 3") {
			t.Error("not counted")
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.queue.samples != maxUnkept {
			t.Errorf("%d samples in memory, want %d", p.queue.samples, maxUnkept)
		}
	})
}
