package load

import (
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/value"

	"tocsin/cmd/tocsin-tool/internal/memstore"
)

// live scrapes a new service each second for d and hands over every sample.
func live(d time.Duration, see func(second int, x memstore.Sample)) {
	s := New()
	for i := range int(d / time.Second) {
		at := time.Unix(1000+int64(i), 0)
		for _, x := range s.Scrape(time.Duration(i)*time.Second, at) {
			see(i, x)
		}
	}
}

func TestQueueFillsAndIsEmptied(t *testing.T) {
	var high, low bool
	live(2*queuePeriod, func(_ int, x memstore.Sample) {
		if x.Labels.Get("queue") == "checkout" {
			high = high || x.V > 80
			low = low || (high && x.V < 20)
		}
	})
	if !high || !low {
		t.Errorf("queue went above 80: %t, then below 20: %t; want both", high, low)
	}
}

func TestOneInstanceGoesDownAndUp(t *testing.T) {
	down := map[string]int{}
	live(2*flapPeriod, func(_ int, x memstore.Sample) {
		if x.Labels.Get("__name__") == "up" && x.V == 0 {
			down[x.Labels.Get("instance")]++
		}
	})
	if len(down) != 1 || down["shop-1:8080"] < 20 {
		t.Errorf("seconds down are %v, want at least 20 of shop-1:8080 alone", down)
	}
}

func TestRequestCountersNeverDecrease(t *testing.T) {
	last := map[string]float64{}
	live(3*burstPeriod, func(second int, x memstore.Sample) {
		code := x.Labels.Get("code")
		if code == "" {
			return
		}
		if x.V < last[code] {
			t.Fatalf("counter of code %s falls from %g to %g after %d s", code, last[code], x.V, second)
		}
		last[code] = x.V
	})
	if ratio := last["500"] / (last["200"] + last["500"]); ratio < 0.1 || ratio > 0.2 {
		t.Errorf("share of errors is %g, want about 0.15", ratio)
	}
}

func TestWorkerVanishesWithOneStaleMarker(t *testing.T) {
	var beats, markers, missing int
	seen := -1
	live(workerPeriod, func(second int, x memstore.Sample) {
		if x.Labels.Get("__name__") != "demo_worker_heartbeat" {
			return
		}
		seen = second
		if value.IsStaleNaN(x.V) {
			markers++
		} else {
			beats++
		}
	})
	missing = int(workerPeriod/time.Second) - 1 - seen
	if beats != 20 || markers != 1 || missing != 11 {
		t.Errorf("%d beats, %d stale markers, %d seconds without; want 20, 1, 11", beats, markers, missing)
	}
}

func TestDiskNearlyFills(t *testing.T) {
	least := 1.0
	live(diskPeriod, func(_ int, x memstore.Sample) {
		if x.Labels.Get("__name__") == "demo_disk_free_bytes" {
			least = min(least, x.V/diskSize)
		}
	})
	if least < 0 || least > 0.06 {
		t.Errorf("least free share is %g, want between 0 and 0.06", least)
	}
}
