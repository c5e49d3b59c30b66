package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"

	"tocsin/internal/e2e/servers"
)

// storage is a server that takes remote write and answers queries.
type storage struct {
	*process
	url string
	// flushURL makes what was written visible to queries; "" where that is so at
	// once. VictoriaMetrics would take up to ten seconds with new series.
	flushURL string
}

// eachStorage runs story against every kind of storage.
func eachStorage(t *testing.T, story func(t *testing.T, s *storage)) {
	t.Run("VictoriaMetrics", func(t *testing.T) { t.Parallel(); story(t, startVictoriaMetrics(t)) })
	t.Run("Prometheus", func(t *testing.T) { t.Parallel(); story(t, startPrometheus(t)) })
}

func startVictoriaMetrics(t *testing.T) *storage {
	t.Helper()
	addr := freeAddr(t)
	command, err := servers.VictoriaMetrics(addr, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &storage{
		url: "http://" + addr, flushURL: "http://" + addr + "/internal/force_flush",
		process: &process{Command: *command},
	}
	s.start(t)
	return s
}

func startPrometheus(t *testing.T) *storage {
	t.Helper()
	addr, dir := freeAddr(t), t.TempDir()
	s := &storage{url: "http://" + addr, process: &process{Command: servers.Command{
		Name: "Prometheus", Path: server(t, "prometheus", "prometheus"),
		Args: []string{
			"--web.listen-address=" + addr, "--storage.tsdb.path=" + filepath.Join(dir, "data"),
			"--config.file=" + writeFile(t, dir, "prometheus.yml", "global: {}\n"),
			"--web.enable-remote-write-receiver", "--log.level=warn",
		},
		ReadyURL: "http://" + addr + "/-/ready",
	}}}
	s.start(t)
	return s
}

// writeFile writes a file into dir and returns its path.
func writeFile(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// point is one series of an instant query's answer, or one sample of a range
// query's.
type point struct {
	labels map[string]string
	t, v   float64
}

type queryAnswer struct {
	Error string `json:"error"`
	Data  struct {
		Result []struct {
			Metric map[string]string `json:"metric"`
			Value  rawPoint          `json:"value"`
			Values []rawPoint        `json:"values"`
		} `json:"result"`
	} `json:"data"`
}

// rawPoint is [seconds, "value"].
type rawPoint [2]any

func (r rawPoint) point(l map[string]string) (point, error) {
	t, _ := r[0].(float64)
	text, _ := r[1].(string)
	v, err := strconv.ParseFloat(text, 64)
	return point{labels: l, t: t, v: v}, err
}

// query returns the answer to an instant query now.
func (s *storage) query(expr string) ([]point, error) {
	return s.ask("/api/v1/query", url.Values{"query": {expr}})
}

// samples returns the stored samples of one selector's series in the last
// minutes, as they were written.
func (s *storage) samples(selector string) ([]point, error) {
	return s.ask("/api/v1/query", url.Values{"query": {selector + "[5m]"}})
}

func (s *storage) ask(path string, form url.Values) ([]point, error) {
	if err := s.flush(); err != nil {
		return nil, err
	}
	resp, err := client.PostForm(s.url+path, form)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var a queryAnswer
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return nil, fmt.Errorf("%s answers %s: %w", s.Name, resp.Status, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s: %s", s.Name, resp.Status, a.Error)
	}
	var points []point
	for _, series := range a.Data.Result {
		if len(series.Values) == 0 {
			series.Values = []rawPoint{series.Value}
		}
		for _, raw := range series.Values {
			p, err := raw.point(series.Metric)
			if err != nil {
				return nil, err
			}
			points = append(points, p)
		}
	}
	return points, nil
}

// flush makes what was written visible to the queries of others.
func (s *storage) flush() error {
	if s.flushURL == "" {
		return nil
	}
	_, err := get(s.flushURL)
	return err
}

// one returns the only series of an instant query's answer.
func (s *storage) one(expr string) (point, error) {
	points, err := s.query(expr)
	switch {
	case err != nil:
		return point{}, err
	case len(points) == 0:
		return point{}, fmt.Errorf("query %q: %w", expr, errNone)
	case len(points) > 1:
		return point{}, fmt.Errorf("query %q has %d results", expr, len(points))
	}
	return points[0], nil
}

// write stores one sample per series, all of the same moment.
func (s *storage) write(at time.Time, series ...sample) error {
	var req prompb.WriteRequest
	for _, x := range series {
		req.Timeseries = append(req.Timeseries, prompb.TimeSeries{
			Labels:  prompb.FromLabels(x.labels, nil),
			Samples: []prompb.Sample{{Timestamp: at.UnixMilli(), Value: x.v}},
		})
	}
	raw, err := req.Marshal()
	if err != nil {
		return err
	}
	r, err := http.NewRequest(http.MethodPost, s.url+"/api/v1/write", bytes.NewReader(snappy.Encode(nil, raw)))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Encoding", "snappy")
	r.Header.Set("Content-Type", "application/x-protobuf")
	r.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s answers a write with %s", s.Name, resp.Status)
	}
	return nil
}

// sample is a value of a series.
type sample struct {
	labels labels.Labels
	v      float64
}

// series returns a sample of a metric with labels given as names and values.
func series(v float64, metric string, pairs ...string) sample {
	return sample{labels.FromStrings(append([]string{model.MetricNameLabel, metric}, pairs...)...), v}
}

// feeder writes the values it was last told over and over, as a scraper would.
type feeder struct {
	store *storage

	mu     sync.Mutex // guards values
	values []sample
}

// feed starts a feeder of values; it ends with the test.
func feed(t *testing.T, s *storage, values ...sample) *feeder {
	t.Helper()
	f := &feeder{store: s, values: values}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			// A storage that is down misses samples; so it would of a scraper.
			_ = errors.Join(s.write(time.Now(), f.current()...), s.flush())
			select {
			case <-quit:
				return
			case <-tick.C:
			}
		}
	}()
	t.Cleanup(func() { close(quit); <-done })
	return f
}

func (f *feeder) current() []sample {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.values
}

// set replaces all values.
func (f *feeder) set(values ...sample) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.values = values
}
