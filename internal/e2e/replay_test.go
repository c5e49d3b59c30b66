package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/e2e/servers"
)

// exported is a series as VictoriaMetrics imports and exports it. A value that
// ends the series is nil.
type exported struct {
	Metric     map[string]string `json:"metric"`
	Values     []*float64        `json:"values"`
	Timestamps []int64           `json:"timestamps"`
}

// replayedTime is two hours that end a while ago.
func replayedTime() (from, to time.Time) {
	to = time.Now().UTC().Truncate(time.Hour).Add(-2 * time.Hour)
	return to.Add(-2 * time.Hour), to
}

// importLoads stores a sample each 15 seconds of the load of some hosts, which have
// gaps.
func importLoads(t *testing.T, s *storage) {
	t.Helper()
	from, to := replayedTime()
	var body bytes.Buffer
	for i, host := range []string{"a", "b", "c"} {
		x := exported{Metric: map[string]string{"__name__": "load", "host": host}}
		for at := from.Add(-10 * time.Minute); !at.After(to); at = at.Add(15 * time.Second) {
			if i > 0 && at.Minute()/10 == i {
				continue
			}
			v := math.Floor(10 * math.Sin(float64(at.Unix())/float64(600*(i+1))))
			x.Values, x.Timestamps = append(x.Values, &v), append(x.Timestamps, at.UnixMilli())
		}
		if err := json.NewEncoder(&body).Encode(x); err != nil {
			t.Fatal(err)
		}
	}
	resp, err := client.Post(s.url+"/api/v1/import", "application/json", &body)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		t.Fatalf("import is answered with %s", resp.Status)
	}
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
}

// exports returns the samples of the series that selector selects, without the
// label run, as "series @ seconds of the period", and how often a series has two
// samples of one time.
func exports(t *testing.T, s *storage, selector string) (samples map[string]float64, twice int) {
	t.Helper()
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
	resp, err := client.Get(s.url + "/api/v1/export?start=0&reduce_mem_usage=1&match[]=" + url.QueryEscape(selector))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("export is answered with %s", resp.Status)
	}
	from, _ := replayedTime()
	samples = map[string]float64{}
	for lines := json.NewDecoder(resp.Body); lines.More(); {
		var x exported
		if err := lines.Decode(&x); err != nil {
			t.Fatal(err)
		}
		delete(x.Metric, "run")
		for i, v := range x.Values {
			key := fmt.Sprintf("%v @%d", x.Metric, x.Timestamps[i]/1000-from.Unix())
			if _, known := samples[key]; known {
				twice++
			}
			samples[key] = math.Inf(-1) // an end
			if v != nil {
				samples[key] = *v
			}
		}
	}
	return samples, twice
}

// withoutEnds drops the samples that end series.
func withoutEnds(samples map[string]float64) map[string]float64 {
	rest := map[string]float64{}
	for key, v := range samples {
		if !math.IsInf(v, -1) {
			rest[key] = v
		}
	}
	return rest
}

const replayedRules = `
groups:
  - name: records
    interval: 30s
    rules:
      - record: load:sum
        expr: sum(load)
      - record: load:high
        expr: avg_over_time(load[5m]) > 3
        labels: {team: db}
  - name: alerts
    interval: 1m
    rules:
      - alert: High
        expr: load > 5
        for: 3m
        labels: {severity: page, where: "at {{ $labels.host }}"}
      - alert: Low
        expr: min(load) < 0
`

// replayArgs are what vmalert and tocsin share.
func replayArgs(t *testing.T, s *storage, rules, run string) []string {
	from, to := replayedTime()
	return []string{
		"-rule=" + writeFile(t, t.TempDir(), "rules.yml", rules),
		"-datasource.url=" + s.url, "-remoteWrite.url=" + s.url, "-external.label=run=" + run,
		"-replay.timeFrom=" + from.Format(time.RFC3339), "-replay.timeTo=" + to.Format(time.RFC3339),
		"-replay.disableProgressBar",
	}
}

// replayed runs tocsin until its replay is complete.
func replayed(t *testing.T, args ...string) {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), bin, args...).CombinedOutput(); err != nil {
		t.Fatalf("replay: %v\n%s", err, out)
	}
}

func TestReplayWritesWhatVmalertWrites(t *testing.T) {
	t.Parallel()
	s := startVictoriaMetrics(t)
	importLoads(t, s)
	// This vmalert is old: in a replay, too, its step is that of instant queries.
	args := append(replayArgs(t, s, replayedRules, "vmalert"), "-datasource.queryStep=0")
	vmalert := exec.CommandContext(t.Context(), server(t, "vmalert", "vmalert"), args...)
	if out, err := vmalert.CombinedOutput(); err != nil {
		t.Fatalf("vmalert: %v\n%s", err, out)
	}
	replayed(t, append(replayArgs(t, s, replayedRules, "tocsin"), "-storage.path=", "-replay.maxDatapointsPerQuery=50")...)
	want, _ := exports(t, s, `{run="vmalert"}`)
	got, twice := exports(t, s, `{run="tocsin"}`)
	if twice > 0 {
		t.Errorf("%d samples are written twice", twice)
	}
	if len(got) == len(withoutEnds(got)) {
		t.Error("no series is ended")
	}
	// It does not end series, nor say since when an alert without for is active.
	got = withoutEnds(got)
	maps.DeleteFunc(got, func(key string, _ float64) bool {
		return strings.Contains(key, "ALERTS_FOR_STATE") && strings.Contains(key, "alertname:Low")
	})
	if diff := cmp.Diff(withoutEnds(want), got); diff != "" || len(want) < 500 {
		t.Errorf("of %d samples (-vmalert +tocsin):\n%s", len(want), diff)
	}
}

// VictoriaMetrics takes seconds until it shows what it has accepted.
func TestReplayedChainFindsWhatWasWritten(t *testing.T) {
	t.Parallel()
	s := startVictoriaMetrics(t)
	importLoads(t, s)
	replayed(t, append(replayArgs(t, s, `
groups:
  - name: first
    interval: 1m
    rules:
      - record: load:sum
        expr: sum(load)
      - record: load:double
        expr: sum(load:sum) * 2
  - name: second
    interval: 1m
    rules:
      - record: load:triple
        expr: sum(load:double) * 1.5
`, "tocsin"), "-storage.path=")...)
	sums, _ := exports(t, s, "load:sum")
	for name, factor := range map[string]float64{"load:double": 2, "load:triple": 3} {
		want := map[string]float64{}
		for key, v := range sums {
			want[strings.Replace(key, "load:sum", name, 1)] = factor * v
		}
		if got, _ := exports(t, s, name); len(want) < 100 || !cmp.Equal(want, got) {
			t.Errorf("%s (-want +got):\n%s", name, cmp.Diff(want, got))
		}
	}
}

func TestReplayGoesOnAfterATerm(t *testing.T) {
	t.Parallel()
	s := startVictoriaMetrics(t)
	importLoads(t, s)
	// How far back a selector without a range looks depends on what else is asked for.
	rules := strings.NewReplacer("30s", "1s", "1m", "1s", "(load)", "(last_over_time(load[1m]))", "load >", "last_over_time(load[1m]) >").Replace(replayedRules)
	replayed(t, append(replayArgs(t, s, rules, "whole"), "-storage.path=")...)

	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	args := append(replayArgs(t, s, rules, "parts"), "-storage.path="+t.TempDir(), "-replay.maxDatapointsPerQuery=10")
	p := &process{Command: servers.Command{Name: "tocsin", Path: bin, Args: args}}
	p.launch(t)
	eventually(t, storyTimeout, "alerts are being replayed", func() error {
		if !strings.Contains(p.output.String(), "group=alerts percent=") {
			return errNone
		}
		return nil
	})
	p.signal(t, syscall.SIGTERM)
	if code := p.wait(t); code != 1 || !strings.Contains(p.output.String(), "run the same command again") {
		t.Fatalf("exit code is %d, want 1 and how to go on", code)
	}
	replayed(t, args...)
	want, _ := exports(t, s, `{run="whole"}`)
	got, twice := exports(t, s, `{run="parts"}`)
	if twice > 0 {
		t.Errorf("%d samples are written twice", twice)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("of %d samples (-whole +in parts):\n%s", len(want), diff)
	}
}
