package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// listener is an Alertmanager that remembers the last state of each alert.
type listener struct {
	*httptest.Server
	mu    sync.Mutex
	fires map[string]bool // by labels
}

func newListener(t *testing.T, w *world) *listener {
	l := &listener{fires: map[string]bool{}}
	l.Server = w.serve(t, l.notify)
	return l
}

func (l *listener) notify(rw http.ResponseWriter, r *http.Request) {
	var alerts []sentAlert
	if err := json.NewDecoder(r.Body).Decode(&alerts); err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range alerts {
		l.fires[labels.FromMap(a.Labels).String()] = a.EndsAt.After(time.Now())
	}
}

// knows returns whether the alert with these labels fires, and whether it was told
// of it at all.
func (l *listener) knows(labels string) (fires, told bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fires, told = l.fires[labels]
	return fires, told
}

// forget forgets everything.
func (l *listener) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.fires)
}

func (l *listener) awaitFiring(t *testing.T, labels string) {
	t.Helper()
	await(t, labels+" fires", func() bool { fires, _ := l.knows(labels); return fires })
}

func (l *listener) awaitEnd(t *testing.T, labels string) {
	t.Helper()
	await(t, labels+" has ended", func() bool { fires, told := l.knows(labels); return told && !fires })
}

// host is the address of the listener as notifier files have it.
func (l *listener) host() string { return strings.TrimPrefix(l.URL, "http://") }

// alertA is the labels of the alert A of a group a.
const alertA = `{alertgroup="a", alertname="A", host="db1"}`

// fileWorld is a daemon with a notifier file and one alerting rule, A, that fires
// and is told again every second.
type fileWorld struct {
	*running
	w           *world
	dir         string
	rules, path string // of the rule file and the notifier file
}

// withNotifierFile starts a daemon. The file may use other files of its folder.
func withNotifierFile(t *testing.T, w *world, text string, change ...func(*Options)) *fileWorld {
	t.Helper()
	f := notifierFiles(t, w, text)
	f.running = start(t, f.options(change...))
	return f
}

// notifierFiles writes the files for a daemon.
func notifierFiles(t *testing.T, w *world, text string) *fileWorld {
	t.Helper()
	dir := files(t, map[string]string{"rules.yml": alert("a", "up"), "notifiers.yml": text})
	w.answer("up", map[string]string{"host": "db1"})
	return &fileWorld{w: w, dir: dir, rules: filepath.Join(dir, "rules.yml"), path: filepath.Join(dir, "notifiers.yml")}
}

func (f *fileWorld) options(change ...func(*Options)) Options {
	o := options(f.w, f.rules)
	o.Rules.ResendDelay = time.Second
	o.Notifier = NotifierOptions{Config: f.path, MaxBatchSize: 100, DrainTimeout: time.Second}
	for _, c := range change {
		c(&o)
	}
	return o
}

// list writes a file of targets, for file_sd_configs.
func (f *fileWorld) list(t *testing.T, name string, hosts ...string) {
	t.Helper()
	text, err := json.Marshal([]map[string]any{{"targets": append([]string{}, hosts...)}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(f.dir, name), string(text))
}

// shownNotifiers is /api/v1/notifiers.
type shownNotifiers struct {
	Notifiers []struct {
		Kind, LastError string
		Targets         []struct {
			Address   string
			Labels    map[string]string
			LastError string
		}
	}
	Waiting int
}

func (d *running) notifiersShown() shownNotifiers {
	d.t.Helper()
	_, body := d.get("/api/v1/notifiers")
	var answer struct{ Data shownNotifiers }
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		d.t.Fatalf("answer of /api/v1/notifiers: %v\n%s", err, body)
	}
	return answer.Data
}

// kindsShown returns each kind with its hosts, as in "static a,b".
func (d *running) kindsShown() string {
	d.t.Helper()
	var all []string
	for _, n := range d.notifiersShown().Notifiers {
		var hosts []string
		for _, t := range n.Targets {
			hosts = append(hosts, t.Labels["__address__"])
		}
		all = append(all, n.Kind+" "+strings.Join(hosts, ","))
	}
	return strings.Join(all, "; ")
}

// staticFile returns a notifier file with targets that are written down.
func staticFile(hosts ...string) string {
	return fmt.Sprintf("static_configs: [{targets: [%s]}]\n", strings.Join(hosts, ", "))
}

const filesOnly = "file_sd_configs: [{files: ['*.json'], refresh_interval: 10ms}]\n"
