package alertmanager

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

const manyAlerts = 50_000

func benchAlerts(n int) []rules.Alert {
	alerts := make([]rules.Alert, n)
	now := time.Now()
	for i := range alerts {
		alerts[i] = rules.Alert{
			Labels: labels.FromStrings("alertgroup", "capacity", "alertname", "DiskFull", "cluster", "eu-1",
				"instance", fmt.Sprintf("host-%06d.example:9100", i), "job", "node", "severity", "page"),
			Annotations: labels.FromStrings(
				"description", fmt.Sprintf("The disk of host-%06d.example:9100 is 97.25%% full.", i),
				"runbook", "https://runbooks.example/disk-full", "summary", "Disk is almost full"),
			StartsAt: now, EndsAt: now.Add(time.Hour),
			GeneratorURL: rules.Link{Base: "http://tocsin.example/vmalert/alert?group_id=3282191581672841545&alert_id=", AlertID: uint64(i + 1)},
		}
	}
	return alerts
}

// reportPerAlert adds the time of one alert to what is reported.
func reportPerAlert(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/alert")
}

// BenchmarkRound puts 50,000 alerts and takes them out again, as in every round
// of a healthy target. It must allocate next to nothing.
func BenchmarkRound(b *testing.B) {
	alerts := benchAlerts(manyAlerts)
	m := newMailbox("bench", defaultBatchSize)
	var sent []sending
	b.ReportAllocs()
	for b.Loop() {
		m.put(nil, alerts, time.Now())
		for {
			batch, _, _ := m.take(sent[:0], defaultBatchSize, time.Now().Add(gatherFor))
			if len(batch.sent) == 0 {
				break
			}
			sent = batch.sent
			m.settled(batch, time.Now())
		}
	}
	reportPerAlert(b, manyAlerts)
}

// BenchmarkNotifyDeadTarget supersedes 50,000 unsent states.
func BenchmarkNotifyDeadTarget(b *testing.B) {
	alerts := benchAlerts(manyAlerts)
	m := newMailbox("bench", defaultBatchSize)
	m.put(nil, alerts, time.Now())
	b.ReportAllocs()
	for b.Loop() {
		m.put(nil, alerts, time.Now())
	}
	reportPerAlert(b, manyAlerts)
}

func BenchmarkEncode(b *testing.B) {
	var batch []sending
	for _, a := range benchAlerts(defaultBatchSize) {
		batch = append(batch, sending{state: stateOf(&a)})
	}
	var e encoder
	b.ReportAllocs()
	for b.Loop() {
		e.begin()
		for i := range batch {
			e.add(&batch[i].state)
		}
		body, _ := e.finish()
		b.SetBytes(int64(len(body)))
	}
	reportPerAlert(b, defaultBatchSize)
}

// sink takes every request.
type sink struct{}

func (sink) RoundTrip(req *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// BenchmarkDeliver takes 50,000 alerts from Notify to the transports of two
// targets.
func BenchmarkDeliver(b *testing.B) {
	alerts := benchAlerts(manyAlerts)
	s := newSet(b, Options{}, Endpoint{URL: "http://a", Transport: sink{}}, Endpoint{URL: "http://b", Transport: sink{}})
	s.Start()
	defer s.Close(ended())
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Notify(rules.Notification{Alerts: alerts}); err != nil {
			b.Fatal(err)
		}
		for _, t := range s.list() {
			for t.mail.len() > 0 {
				time.Sleep(time.Millisecond)
			}
		}
	}
	reportPerAlert(b, manyAlerts)
}
