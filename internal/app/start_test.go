package app

import (
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/httpserver"
)

// oneAlert is a file with one alerting rule, whose expression is down.
const oneAlert = `
groups:
- name: servers
  rules:
  - alert: Down
    expr: down
    annotations: {summary: "{{ $labels.host }} is down"}
`

// oneRecord is a file with one recording rule.
const oneRecord = `
groups:
- name: totals
  rules:
  - record: total:requests
    expr: requests
`

func TestRulesRunFromStartToPeers(t *testing.T) {
	w := newWorld(t)
	w.answer("down", map[string]string{"host": "db1"})
	w.answer("requests", map[string]string{"code": "503"})
	o := withAlertmanager(withStorage(options(w, ruleFile(t, oneAlert), ruleFile(t, oneRecord)), w), w)
	d := start(t, o)

	if diff := cmp.Diff([]string{"servers", "totals"}, d.groupNames()); diff != "" {
		t.Errorf("groups in the API (-want +got):\n%s", diff)
	}
	if a := w.awaitAlert(t, "Down"); a.Annotations["summary"] != "db1 is down" || a.Labels["alertgroup"] != "servers" {
		t.Errorf("Alertmanager got %+v", a)
	}
	await(t, "the results are written", func() bool {
		return w.hasWritten("total:requests") && w.hasWritten("ALERTS_FOR_STATE")
	})
	if err := d.stop(); err != nil {
		t.Errorf("end of the daemon: %v", err)
	}
}

// startError returns why a daemon with o does not start.
func startError(t *testing.T, o Options) string {
	t.Helper()
	d := launch(t, o)
	err := d.wait()
	if err == nil {
		t.Fatal("the daemon ended without an error")
	}
	return err.Error()
}

func TestRulesWithNowhereToGoPreventTheStart(t *testing.T) {
	w := newWorld(t)
	both := []string{ruleFile(t, oneAlert), ruleFile(t, oneRecord)}
	for _, tt := range []struct {
		name string
		o    Options
		want []string
	}{
		{"alerts without notifier", withStorage(options(w, both...), w), []string{"-notifier.url"}},
		{"records without storage", withAlertmanager(options(w, both...), w), []string{"-remoteWrite.url"}},
		{"neither", options(w, both...), []string{"-notifier.url", "-remoteWrite.url"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lines := strings.Split(startError(t, tt.o), "\n")
			if len(lines) != len(tt.want) {
				t.Fatalf("got %q, want %d lines", lines, len(tt.want))
			}
			for i, flag := range tt.want {
				if !strings.Contains(lines[i], flag) {
					t.Errorf("%q does not name %s", lines[i], flag)
				}
			}
		})
	}
}

func TestAlertsMayGoNowhereOnPurpose(t *testing.T) {
	w := newWorld(t)
	w.answer("down", map[string]string{"host": "db1"})
	d := start(t, withBlackhole(options(w, ruleFile(t, oneAlert))))
	await(t, "the alert fires", func() bool { return d.metric("vmalert_alerts_fired_total") > 0 })
	if err := d.stop(); err != nil {
		t.Errorf("end of the daemon: %v", err)
	}
}

func TestListenerInUsePreventsTheStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	w := newWorld(t)
	o := withBlackhole(options(w, ruleFile(t, oneAlert)))
	o.HTTP.Server.Listeners = listeners("127.0.0.1:0", taken.Addr().String())
	err2 := startError(t, o)
	if !strings.HasPrefix(err2, "-httpListenAddr: ") || !strings.Contains(err2, taken.Addr().String()) {
		t.Errorf("got %q, want the flag and the address", err2)
	}
}

func TestEveryListenerServes(t *testing.T) {
	w := newWorld(t)
	o := withBlackhole(options(w, ruleFile(t, oneAlert)))
	o.HTTP.Server.Listeners = listeners("127.0.0.1:0", "127.0.0.1:0")
	d := start(t, o)
	for _, r := range d.log.records("listening") {
		resp, err := d.client.Get("http://" + attr(r, "address") + "/health")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: /health is %d", attr(r, "address"), resp.StatusCode)
		}
	}
	if n := len(d.log.records("listening")); n != 2 {
		t.Errorf("%d listeners, want 2", n)
	}
}

func TestFlagInErrorOfPart(t *testing.T) {
	w := newWorld(t)
	all := func() Options {
		return withAlertmanager(withStorage(options(w, ruleFile(t, oneAlert)), w), w)
	}
	for flag, spoil := range map[string]func(*Options){
		"-datasource.url":         func(o *Options) { o.Datasource.URL = "ftp://x" },
		"-remoteRead.url":         func(o *Options) { o.RemoteRead.URL = "ftp://x" },
		"-remoteWrite.url":        func(o *Options) { o.RemoteWrite.Targets[0].URL = "ftp://x" },
		"-notifier.url":           func(o *Options) { o.Notifier.URLs[0] = "ftp://x" },
		"-rule.conflictingLabels": func(o *Options) { o.Rules.ConflictingLabels = "both" },
		"-external.alert.source":  func(o *Options) { o.External.AlertSource = "{{ nonsense }}" },
		"-datasource":             func(o *Options) { o.Datasource.Client.TLS.CAFile = "/nonexistent/ca.pem" },
	} {
		t.Run(flag, func(t *testing.T) {
			o := all()
			spoil(&o)
			if err := startError(t, o); !strings.Contains(err, flag+": ") {
				t.Errorf("%q does not name the flag", err)
			}
		})
	}
}

func TestEndDuringFirstLoadEndsIt(t *testing.T) {
	w := newWorld(t)
	rules := w.serve(t, nil)
	arrived, _ := w.block(t, rules)
	d := launch(t, withBlackhole(options(w, rules.URL+"/rules.yml")))
	<-arrived
	if err := d.stop(); err != nil {
		t.Errorf("being told to stop is a failure: %v", err)
	}
	d.awaitLog("tocsin is stopping before it is ready", 1)
}

func TestNotReadyUntilRulesAreLoaded(t *testing.T) {
	w := newWorld(t)
	rules := w.serve(t, nil)
	arrived, release := w.block(t, rules)
	d := launch(t, withBlackhole(options(w, rules.URL+"/rules.yml")))
	<-arrived
	if code, body := d.get("/-/ready"); code != http.StatusServiceUnavailable {
		t.Errorf("/-/ready is %d (%s) before the rules are loaded", code, body)
	}
	if code, _ := d.get("/health"); code != http.StatusOK {
		t.Errorf("/health is %d before the rules are loaded", code)
	}
	if names := d.groupNames(); len(names) != 0 {
		t.Errorf("groups %q are shown before the rules are loaded", names)
	}
	w.handle(rules, func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte(oneAlert)) })
	release()
	d.awaitLog("tocsin is ready", 1)
	if code, body := d.get("/-/ready"); code != http.StatusOK {
		t.Errorf("/-/ready is %d (%s) after the rules are loaded", code, body)
	}
}

func TestSignalDuringFirstLoadIsNotLost(t *testing.T) {
	w := newWorld(t)
	rules := w.serve(t, nil)
	arrived, release := w.block(t, rules)
	d := launch(t, withBlackhole(options(w, rules.URL+"/rules.yml")))
	<-arrived
	d.reload <- struct{}{}
	w.handle(rules, func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte(oneAlert)) })
	release()
	d.awaitLog("rules reloaded", 1)
	if diff := cmp.Diff([]string{"servers"}, d.groupNames()); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

func TestExternalURLDefaultsToHostAndPort(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		given string
		addrs []string
		want  string
	}{
		{"", []string{":8880"}, "http://" + host + ":8880"},
		{"", []string{"127.0.0.1:9", ":8880"}, "http://" + host + ":9"},
		{"", nil, ""},
		{"https://alerts.example/tocsin", []string{":8880"}, "https://alerts.example/tocsin"},
	} {
		o := Options{External: ExternalOptions{URL: tt.given}, HTTP: HTTPOptions{Server: httpserver.Options{Listeners: listeners(tt.addrs...)}}}
		if got := externalURL(&o); got != tt.want {
			t.Errorf("%q, %q: got %q, want %q", tt.given, tt.addrs, got, tt.want)
		}
	}
}
