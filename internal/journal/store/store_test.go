package store

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestLatestValueOfEachKeySurvivesRestart(t *testing.T) {
	r := newRig(t, Options{})
	r.commit("", put("b", "1"), put("a", "1"))
	r.commit("", put("b", "2"))
	r.commit("", put("c", ""), put("d", "x"))
	r.commit("", remove("d"), remove("never there"))
	want := map[string]string{"a": "1", "b": "2", "c": ""}
	r.wantValues(want)
	r.restart()
	r.wantValues(want)
}

func TestLastOfSeveralPutsWithOneKeyCounts(t *testing.T) {
	r := newRig(t, Options{})
	r.commit("", put("a", "1"), put("a", "2"), put("b", "1"), remove("b"), remove("c"), put("c", "1"))
	want := map[string]string{"a": "2", "c": "1"}
	r.wantValues(want)
	r.restart()
	r.wantValues(want)
}

func TestValuesOfAllSizesSurviveRestart(t *testing.T) {
	r := newRig(t, Options{})
	want := map[string]string{}
	var puts []Put
	for _, size := range []int{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 3*chunkSize + 7, 5 << 20} {
		for name, value := range map[string][]byte{
			"noise": r.noise(size), "text": []byte(strings.Repeat("ab\n", size)[:size]),
		} {
			key := name + time.Duration(size).String()
			want[key] = string(value)
			puts = append(puts, Put{Key: key, Value: value})
		}
	}
	r.commit("", puts...)
	r.wantValues(want)
	r.restart()
	r.wantValues(want)
}

func TestValuesStopsAtTheFirstError(t *testing.T) {
	r := newRig(t, Options{})
	r.commit("", put("a", "1"), put("b", "2"))
	stop := errors.New("enough")
	var seen []string
	err := r.Values(func(key string, _ []byte) error {
		seen = append(seen, key)
		return stop
	})
	if err != stop || len(seen) != 1 {
		t.Errorf("error is %v after %q, want %v after one key", err, seen, stop)
	}
}

func TestCommitsAreNumberedAcrossRestarts(t *testing.T) {
	r := newRig(t, Options{})
	for want := uint64(1); want <= 3; want++ {
		if got := r.commit("x"); got != want {
			t.Fatalf("commit is number %d, want %d", got, want)
		}
	}
	if got := r.commit(""); got != 3 {
		t.Errorf("an empty commit is number %d, want that of the last", got)
	}
	r.reopen() // as after a kill
	if got := r.commit("x"); got != 4 {
		t.Errorf("commit after restart is number %d, want 4", got)
	}
	r.restart()
	if got := r.commit("x"); got <= 4 {
		t.Errorf("commit after Close is number %d, want more than 4", got)
	}
}

func TestUselessRemovalWritesNothing(t *testing.T) {
	r := newRig(t, Options{})
	r.commit("", put("a", "1"))
	before := r.disk.bytes()
	r.commit("", remove("b"))
	if after := r.disk.bytes(); after != before {
		t.Errorf("%d bytes on disk after %d", after, before)
	}
}

func TestTooLargeCommitsAreRefused(t *testing.T) {
	r := newRig(t, Options{})
	huge := make([]byte, maxCommit/4)
	for name, puts := range map[string][]Put{
		"key":    {put(strings.Repeat("k", maxKey+1), "")},
		"values": {{"a", huge}, {"b", huge}, {"c", huge}, {"d", huge}},
	} {
		if _, err := r.Commit(puts, nil, 0); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: error is %v, want ErrTooLarge", name, err)
		}
	}
	if _, err := r.Commit(nil, []byte("x"), -1); !errors.Is(err, ErrTooLarge) {
		t.Errorf("negative samples: error is %v, want ErrTooLarge", err)
	}
	r.wantMetric("tocsin_journal_degraded", "0")
	r.wantMetric("tocsin_journal_commit_errors_total", "3")
	if got := r.book.messages(slog.LevelError); len(got) != 1 {
		t.Errorf("logged %q, want one error for all in a row", got)
	}
	longest := strings.Repeat("k", maxKey)
	r.commit("", put(longest, "1"))
	r.restart()
	r.wantValues(map[string]string{longest: "1"})
}

func TestTargetsAreChecked(t *testing.T) {
	for name, targets := range map[string][]string{
		"twice": {"a", "b", "a"},
		"long":  {strings.Repeat("x", maxKey)},
	} {
		if _, err := open(Options{Targets: targets, Metrics: newRig(t, Options{}).options.Metrics}, newFakeDisk()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestClosedStoreRefuses(t *testing.T) {
	r := newRig(t, Options{})
	r.commit("x")
	reader := r.Reader("a")
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := r.Commit(nil, []byte("x"), 1); err != ErrClosed {
		t.Errorf("Commit: error is %v, want ErrClosed", err)
	}
	if err := r.Values(nil); err != ErrClosed {
		t.Errorf("Values: error is %v, want ErrClosed", err)
	}
	if _, err := reader.Next(); err != ErrClosed {
		t.Errorf("Next: error is %v, want ErrClosed", err)
	}
	r.wantMetric(`tocsin_journal_waiting_batches{target="a"}`, "none")
}

func TestWaitingIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{Targets: []string{`a"\`}})
		want := func(batches, samples, seconds string) {
			t.Helper()
			r.wantMetric(`tocsin_journal_waiting_batches{target="a\"\\"}`, batches)
			r.wantMetric(`tocsin_journal_waiting_samples{target="a\"\\"}`, samples)
			r.wantMetric(`tocsin_journal_waiting_oldest_seconds{target="a\"\\"}`, seconds)
		}
		want("0", "0", "0")
		first := r.commit("xyz")
		time.Sleep(5 * time.Second)
		r.commit("", put("k", "v"))
		r.commit("uv")
		time.Sleep(2 * time.Second)
		want("2", "5", "7")
		if got := r.waiting(`a"\`); got.batches != 2 || got.samples != 5 || got.age(time.Now()) != 7*time.Second {
			t.Errorf("waiting is %+v", got)
		}
		r.Settle(`a"\`, first)
		want("1", "2", "2")
		r.restart()
		want("1", "2", "2")
	})
}

func TestCommitsAreCounted(t *testing.T) {
	r := newRig(t, Options{})
	r.commit("", put("a", "1"))
	r.commit("", Put{Key: "b", Value: r.noise(10_000)})
	r.wantMetric("tocsin_journal_commits_total", "2")
	r.wantMetric("tocsin_journal_commit_errors_total", "0")
	r.wantMetric("tocsin_journal_commit_duration_seconds_count", "2")
	r.wantMetric("tocsin_journal_segments", "1")
	r.wantMetric("tocsin_journal_size_bytes", "20480") // a block for the header, one and three for commits
	r.wantMetric("tocsin_journal_written_bytes_total", "20480")
	r.wantMetric("tocsin_journal_state_bytes", "10040") // with frames of 16 bytes, and keys and lengths
}
