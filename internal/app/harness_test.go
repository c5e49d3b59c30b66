package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tocsin/internal/httpserver"
	"tocsin/internal/httpx"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// options returns those of a daemon that evaluates often and waits for little,
// with the datasource of w, rules read from files and nobody else to talk to.
func options(w *world, files ...string) Options {
	return Options{
		Rules: RuleOptions{
			Files: files, EvaluationInterval: 100 * time.Millisecond, UpdateEntriesLimit: 5,
			ValidateExpressions: true, ValidateTemplates: true, ErrorResendDuration: time.Hour,
			ConflictingLabels: "exported", ChainWait: time.Second,
			LoadTimeout: patience, MaxFileSize: 1 << 20,
		},
		Datasource: DatasourceOptions{
			URL: w.datasource.URL, Client: client("vmalert_datasource"),
			QueryStep: 5 * time.Minute, QueryTimeout: time.Minute, MaxConcurrency: 100,
		},
		HTTP: HTTPOptions{
			Server: httpserver.Options{
				Listeners:           listeners("127.0.0.1:0"),
				MaxGracefulShutdown: time.Second, IdleConnTimeout: time.Minute,
			},
		},
		Version: "tocsin-test",
	}
}

// listeners are plain ones at the given addresses.
func listeners(addrs ...string) []httpserver.Listener {
	var all []httpserver.Listener
	for _, addr := range addrs {
		all = append(all, httpserver.Listener{Addr: addr, Flag: "-httpListenAddr"})
	}
	return all
}

func client(prefix string) httpx.ClientOptions {
	return httpx.ClientOptions{MetricsPrefix: prefix, IdleConnTimeout: 50 * time.Second, MaxIdleConnections: 10}
}

// withStorage has o write to w and restore from it.
func withStorage(o Options, w *world) Options {
	o.RemoteWrite = RemoteWriteOptions{
		Targets:       []RemoteWriteTarget{{URL: w.storage.URL, Client: client("vmalert_remotewrite")}},
		Concurrency:   2,
		FlushInterval: 5 * time.Millisecond, MaxBatchSize: 1000, MaxQueueSize: 10_000,
		RetryMinInterval: time.Millisecond, RetryMaxTime: time.Minute,
		SendTimeout: time.Minute, DrainTimeout: patience,
	}
	o.RemoteRead = RemoteReadOptions{URL: w.datasource.URL, Client: client("vmalert_remoteread"), Lookback: time.Hour}
	return o
}

// withAlertmanager has o tell w of alerts.
func withAlertmanager(o Options, w *world) Options {
	o.Notifier = NotifierOptions{
		URLs:         []string{w.alertmanager.URL},
		Targets:      []NotifierTarget{{Client: client("vmalert_notifier"), SendTimeout: time.Minute}},
		MaxBatchSize: 100, DrainTimeout: patience,
	}
	return o
}

// withBlackhole has o tell nobody of alerts.
func withBlackhole(o Options) Options {
	o.Notifier.Blackhole = true
	return o
}

// running is a Run under way.
type running struct {
	t      *testing.T
	log    *logBook
	reload chan struct{}
	client *http.Client
	cancel context.CancelFunc
	ended  chan struct{}
	err    error // of Run; set before ended is closed

	found   sync.Once
	address string // of the first listener; set by found
}

// launch begins to run a daemon. The test ends it, if it has not ended before.
func launch(t *testing.T, o Options) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	d := &running{
		t: t, log: newLogBook(), reload: make(chan struct{}, 1), cancel: cancel,
		client: &http.Client{Transport: &http.Transport{}, Timeout: patience},
		ended:  make(chan struct{}),
	}
	go func() {
		defer close(d.ended)
		d.err = Run(ctx, o, Signals{
			Reload: d.reload, Log: d.log.logger(), Stdout: io.Discard, WriteLogMetrics: writeLogMetrics,
		})
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case <-d.ended:
		case <-time.After(patience):
			t.Error("the daemon does not end")
		}
		d.client.CloseIdleConnections()
	})
	return d
}

// writeLogMetrics stands for the logger's.
func writeLogMetrics(w io.Writer) {
	_, _ = io.WriteString(w, `vm_log_messages_total{app_version="v",is_printed="true",level="info",location="l"} 1`+"\n")
}

// start runs a daemon and returns when its rules are loaded.
func start(t *testing.T, o Options) *running {
	t.Helper()
	d := launch(t, o)
	d.awaitLog("tocsin is ready", 1)
	return d
}

// awaitLog waits until message has been logged n times and returns the last.
func (d *running) awaitLog(message string, n int) map[string]any {
	d.t.Helper()
	return d.log.await(d.t, message, n, d.ended)
}

// stop ends the daemon and returns the error of Run.
func (d *running) stop() error {
	d.t.Helper()
	d.cancel()
	return d.wait()
}

// wait returns the error of Run.
func (d *running) wait() error {
	d.t.Helper()
	select {
	case <-d.ended:
	case <-time.After(patience):
		d.t.Fatalf("the daemon does not end; the log:\n%s", d.log)
	}
	return d.err
}

// url returns the address of path. Without a port of its own the daemon listens
// where the system chooses, and logs it.
func (d *running) url(path string) string {
	d.t.Helper()
	d.found.Do(func() { d.address = attr(d.awaitLog("listening", 1), "address") })
	return "http://" + d.address + path
}

// get returns the answer to a GET.
func (d *running) get(path string) (code int, body string) {
	d.t.Helper()
	code, body, err := d.ask(http.MethodGet, path)
	if err != nil {
		d.t.Fatalf("GET %s: %v; the log:\n%s", path, err, d.log)
	}
	return code, body
}

func (d *running) ask(method, path string) (code int, body string, err error) {
	req, err := http.NewRequest(method, d.url(path), nil)
	if err != nil {
		return 0, "", err
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// groupNames returns the names of the groups that the API shows, in order.
func (d *running) groupNames() []string {
	d.t.Helper()
	var names []string
	for _, g := range d.groups() {
		names = append(names, g.Name)
	}
	return names
}

type shownGroup struct {
	ID, Name, File string
	Rules          []struct {
		ID, Name, Query, State, LastError string

		Alerts []shownAlert
	}
}

type shownAlert struct {
	ID, State, Source string
	Annotations       map[string]string
}

func (d *running) groups() []shownGroup {
	d.t.Helper()
	_, body := d.get("/api/v1/rules")
	var answer struct{ Data struct{ Groups []shownGroup } }
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		d.t.Fatalf("answer of /api/v1/rules: %v\n%s", err, body)
	}
	return answer.Data.Groups
}

// metric returns the value of a series of /metrics, named as it is written there.
func (d *running) metric(series string) float64 {
	d.t.Helper()
	_, body := d.get("/metrics")
	for line := range strings.Lines(body) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				d.t.Fatal(err)
			}
			return v
		}
	}
	d.t.Fatalf("no %s in /metrics", series)
	return 0
}

// await waits until done says so.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	timeout := time.After(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatalf("in vain waited until %s", what)
		}
	}
}

// awaitNextSecond waits until the clock shows a later second than the timestamp,
// so that a new one would differ from it.
func awaitNextSecond(t *testing.T, timestamp float64) {
	t.Helper()
	await(t, "the next second begins", func() bool { return float64(time.Now().Unix()) > timestamp })
}

// files writes a directory of files with the given names and texts, and returns
// its path.
func files(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		write(t, filepath.Join(dir, name), texts[name])
	}
	return dir
}

// write replaces a file at once, as a volume is updated.
func write(t *testing.T, path, text string) {
	t.Helper()
	next := path + ".next"
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
}

// ruleFile writes one rule file and returns its path.
func ruleFile(t *testing.T, text string) string {
	t.Helper()
	return filepath.Join(files(t, map[string]string{"rules.yml": text}), "rules.yml")
}

// dry returns what a dry run says of o.
func dry(o Options) (string, error) {
	var out bytes.Buffer
	o.DryRun = true
	err := Run(context.Background(), o, Signals{Log: newLogBook().logger(), Stdout: &out})
	return out.String(), err
}
