//go:build unix

package store

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// state returns bytes like those of groups: labels that differ in places, and
// times.
func state(random *rand.Rand, size int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "alertname=HighLatency\x00instance=10.0.%d.%d:9100\x00job=node%d\x00%x",
			random.IntN(4), random.IntN(256), i%7, random.Uint64())
	}
	return b.Bytes()[:size]
}

// BenchmarkCommit commits what 20 groups have come to: 15 KB of memory each, and
// 2,000 samples of 40 bytes together.
func BenchmarkCommit(b *testing.B) {
	s, err := Open(Options{
		Path: b.TempDir(), Targets: []string{"a"}, Metrics: metrics.NewSet(), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	random := rand.New(rand.NewPCG(1, 2))
	rounds := make([][]Put, 10)
	for i := range rounds {
		for g := range 20 {
			key := "group " + strconv.Itoa(20*i+g)
			rounds[i] = append(rounds[i], Put{Key: key, Value: state(random, 15_000)})
		}
	}
	rows := state(random, 80_000)
	b.ReportAllocs()
	before := cpu()
	for n := 0; b.Loop(); n++ {
		seq, err := s.Commit(rounds[n%10], rows, 2000)
		if err != nil {
			b.Fatal(err)
		}
		s.Settle("a", seq)
	}
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(s.metrics.commit.written.Get())/float64(b.N), "written-B/op")
	b.ReportMetric(float64(s.ledger.bytes), "disk-B")
}

// cpu returns the CPU time of the process.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkLargeValue commits one value of 20 MB.
func BenchmarkLargeValue(b *testing.B) {
	value := state(rand.New(rand.NewPCG(1, 2)), 20<<20)
	s, err := Open(Options{
		Path: b.TempDir(), Targets: []string{"a"}, Metrics: metrics.NewSet(), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	b.ReportAllocs()
	b.SetBytes(int64(len(value)))
	for b.Loop() {
		if _, err := s.Commit([]Put{{"group", value}}, nil, 0); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRead reads the rows of one commit of 2,000 samples.
func BenchmarkRead(b *testing.B) {
	s, err := Open(Options{
		Path: b.TempDir(), Targets: []string{"a"}, Metrics: metrics.NewSet(), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	rows := state(rand.New(rand.NewPCG(1, 2)), 80_000)
	for range 50 {
		if _, err := s.Commit(nil, rows, 2000); err != nil {
			b.Fatal(err)
		}
	}
	reader := s.Reader("a")
	defer reader.Close()
	b.ReportAllocs()
	b.SetBytes(int64(len(rows)))
	for b.Loop() {
		switch _, err := reader.Next(); err {
		case nil:
		case io.EOF:
			reader.seq = 0
		default:
			b.Fatal(err)
		}
	}
}
