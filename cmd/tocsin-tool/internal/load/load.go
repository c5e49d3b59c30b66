// Package load makes sample series of a small service that misbehaves on a
// schedule: a queue that fills and is emptied, an instance that goes up and
// down, errors that come in bursts, a disk that fills up.
package load

import (
	"math"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"

	"tocsin/cmd/tocsin-tool/internal/memstore"
)

// How often each thing goes wrong.
const (
	queuePeriod  = 24 * time.Second
	flapPeriod   = 40 * time.Second
	burstPeriod  = 50 * time.Second
	diskPeriod   = 60 * time.Second
	workerPeriod = 32 * time.Second
)

// Service is the state of the made-up service. The zero value is not usable;
// call New.
type Service struct {
	// Fixed by New.
	series seriesLabels

	last          time.Duration
	served, erred float64 // requests so far
	workerSeen    bool
}

type seriesLabels struct {
	queue          [2]labels.Labels
	up             [3]labels.Labels
	served, erred  labels.Labels
	diskFree, size labels.Labels
	worker         labels.Labels
}

// New returns a service that begins its life healthy.
func New() *Service {
	named := labels.FromStrings
	s := &Service{series: seriesLabels{
		queue: [2]labels.Labels{
			named("__name__", "demo_queue_jobs", "queue", "checkout"),
			named("__name__", "demo_queue_jobs", "queue", "email"),
		},
		served:   named("__name__", "demo_requests_total", "job", "shop", "code", "200"),
		erred:    named("__name__", "demo_requests_total", "job", "shop", "code", "500"),
		diskFree: named("__name__", "demo_disk_free_bytes", "instance", "db-1:9100", "mountpoint", "/var"),
		size:     named("__name__", "demo_disk_size_bytes", "instance", "db-1:9100", "mountpoint", "/var"),
		worker:   named("__name__", "demo_worker_heartbeat", "instance", "worker-1:9100"),
	}}
	for i, instance := range [...]string{"shop-0:8080", "shop-1:8080", "shop-2:8080"} {
		s.series.up[i] = named("__name__", "up", "job", "shop", "instance", instance)
	}
	return s
}

// Scrape returns the samples of one moment. elapsed is the age of the service
// and must not decrease from call to call; at is the time of the samples.
func (s *Service) Scrape(elapsed time.Duration, at time.Time) []memstore.Sample {
	s.advance(elapsed)
	t := at.UnixMilli()
	x := &s.series
	batch := []memstore.Sample{
		{Labels: x.queue[0], T: t, V: sawtooth(elapsed, queuePeriod, 100)},
		{Labels: x.queue[1], T: t, V: 12 + 5*math.Sin(elapsed.Seconds()/7)},
		{Labels: x.up[0], T: t, V: 1},
		{Labels: x.up[1], T: t, V: upDown(elapsed)},
		{Labels: x.up[2], T: t, V: 1},
		{Labels: x.served, T: t, V: math.Floor(s.served)},
		{Labels: x.erred, T: t, V: math.Floor(s.erred)},
		{Labels: x.size, T: t, V: diskSize},
		{Labels: x.diskFree, T: t, V: diskSize * (1 - sawtooth(elapsed, diskPeriod, 0.97))},
	}
	if v, ok := s.heartbeat(elapsed); ok {
		batch = append(batch, memstore.Sample{Labels: x.worker, T: t, V: v})
	}
	return batch
}

const diskSize = 40 << 30

// advance counts the requests since the last scrape: fifty a second, of which
// nearly a third fail during the second half of each burst period.
func (s *Service) advance(elapsed time.Duration) {
	requests := 50 * (elapsed - s.last).Seconds()
	failing := 0.002
	if elapsed%burstPeriod >= burstPeriod/2 {
		failing = 0.3
	}
	s.erred += requests * failing
	s.served += requests * (1 - failing)
	s.last = elapsed
}

// heartbeat returns the worker's beat: 1 while it lives, a stale marker once
// when it goes, and nothing while it is away.
func (s *Service) heartbeat(elapsed time.Duration) (v float64, ok bool) {
	alive := elapsed%workerPeriod < workerPeriod*5/8
	switch {
	case alive:
		v, ok = 1, true
	case s.workerSeen:
		v, ok = math.Float64frombits(value.StaleNaN), true
	}
	s.workerSeen = alive
	return v, ok
}

// upDown is 1, and 0 in the last third of each flap period.
func upDown(elapsed time.Duration) float64 {
	if elapsed%flapPeriod >= flapPeriod*2/3 {
		return 0
	}
	return 1
}

// sawtooth climbs from 0 to top during each period.
func sawtooth(elapsed, period time.Duration, top float64) float64 {
	return top * float64(elapsed%period) / float64(period)
}
