package app

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNotifierFileTellsWhomItFinds(t *testing.T) {
	w := newWorld(t)
	written, listed := newListener(t, w), newListener(t, w)
	f := notifierFiles(t, w, staticFile(written.URL+"/pre/api/v2/alerts")+filesOnly+
		"path_prefix: own\nrelabel_configs: [{source_labels: [__meta_filepath], regex: .*/(.+)\\.json, target_label: list}]\n")
	f.list(t, "team.json", listed.host())
	f.running = start(t, f.options())
	written.awaitFiring(t, alertA)
	listed.awaitFiring(t, alertA)
	got := f.notifiersShown()
	if n := len(got.Notifiers); n != 2 {
		t.Fatalf("%d kinds are shown, want 2: %+v", n, got)
	}
	if diff := cmp.Diff("static "+written.host()+"; fileSD "+listed.host(), f.kindsShown()); diff != "" {
		t.Error(diff)
	}
	target := got.Notifiers[1].Targets[0]
	if want := listed.URL + "/own/api/v2/alerts"; target.Address != want {
		t.Errorf("address is %s, want %s", target.Address, want)
	}
	labels := map[string]string{
		"__address__": listed.host(), "__scheme__": "http", "__alerts_path__": "/own/api/v2/alerts", "list": "team",
	}
	if diff := cmp.Diff(labels, target.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if f.metric(`vmalert_alerts_sent_total{addr="`+target.Address+`"}`) == 0 {
		t.Error("nothing is counted as sent")
	}
	if got := f.metric(`tocsin_discovery_targets{kind="fileSD"}`); got != 1 {
		t.Errorf("%v targets of files in /metrics, want 1", got)
	}
}

func TestTargetsComeAndGoWithoutReload(t *testing.T) {
	w := newWorld(t)
	one, two := newListener(t, w), newListener(t, w)
	f := notifierFiles(t, w, filesOnly)
	f.list(t, "a.json", one.host())
	f.running = start(t, f.options())
	one.awaitFiring(t, alertA)
	f.list(t, "b.json", two.host())
	two.awaitFiring(t, alertA)
	remove(t, filepath.Join(f.dir, "a.json"))
	await(t, "the first is gone", func() bool { return f.kindsShown() == "fileSD "+two.host() })
	_, body := f.get("/metrics")
	if strings.Contains(body, one.URL) {
		t.Error("a target that is gone still shows its metrics")
	}
	if got := f.metric(reloadTotal); got != 0 {
		t.Errorf("%v reloads, want none", got)
	}
}

func TestAlertsWaitForAnAlertmanagerToBeFound(t *testing.T) {
	w := newWorld(t)
	l := newListener(t, w)
	f := withNotifierFile(t, w, filesOnly)
	await(t, "the alert waits", func() bool { return f.notifiersShown().Waiting == 1 })
	f.awaitLog("there is no alertmanager to tell of alerts, they wait until one is found", 1)
	if got := f.kindsShown(); got != "fileSD " {
		t.Errorf("shown are %q, want the kind without targets", got)
	}
	if _, page := f.get("/vmalert/notifiers"); !strings.Contains(page, "1 alerts wait for one") {
		t.Error("the page does not say that an alert waits")
	}
	w.answer("up") // it ends before anybody is found
	f.goesOn()
	f.list(t, "a.json", l.host())
	l.awaitEnd(t, alertA)
	if got := f.metric("tocsin_notifier_waiting_alerts"); got != 0 {
		t.Errorf("%v alerts wait, want none", got)
	}
}

func TestReloadPutsNotifierFileInForce(t *testing.T) {
	w := newWorld(t)
	one, two := newListener(t, w), newListener(t, w)
	f := withNotifierFile(t, w, staticFile(one.host()))
	one.awaitFiring(t, alertA)
	write(t, f.path, staticFile(two.host()))
	f.reloaded()
	two.awaitFiring(t, alertA)
	if got := f.kindsShown(); got != "static "+two.host() {
		t.Errorf("shown are %q", got)
	}
	if r := f.awaitLog("rules reloaded", 1); attr(r, "notifiers") != "changed" {
		t.Errorf("the log does not tell of the notifiers: %v", r)
	}
	f.reloaded()
	if r := f.awaitLog("rules reloaded", 2); r["notifiers"] != nil {
		t.Errorf("a reload that changes nothing tells of the notifiers: %v", r)
	}
}

func TestCheckSeesChangedNotifierFile(t *testing.T) {
	w := newWorld(t)
	one, two := newListener(t, w), newListener(t, w)
	f := withNotifierFile(t, w, staticFile(one.host()), func(o *Options) { o.Rules.ConfigCheckInterval = 10 * time.Millisecond })
	write(t, f.path, staticFile(two.host()))
	two.awaitFiring(t, alertA)
	f.awaitLog("rules reloaded", 1)
	f.expectReloads(1, 0, 1)
}

func TestBrokenNotifierFileKeepsItsTargets(t *testing.T) {
	for name, text := range map[string]string{
		"yaml":             "static_configs: [",
		"an unknown key":   "static_config: []",
		"empty":            "",
		"a file it names":  "static_configs: [{targets: [am], tls_config: {ca_file: /does/not/exist}}]",
		"relabeling rules": "alert_relabel_configs: [{action: unheard}]",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			l := newListener(t, w)
			f := withNotifierFile(t, w, staticFile(l.host()))
			l.awaitFiring(t, alertA)
			write(t, f.path, text)
			write(t, f.rules, alert("a", "up")+"# edited\n")
			if p := f.planned(); len(p.Problems) != 1 || !strings.HasPrefix(p.Problems[0], f.path+":") || p.Outcome != "partly applied" {
				t.Errorf("the plan is %+v, want a problem of the notifier file", p)
			}
			code, body := f.post()
			if code != http.StatusInternalServerError || !strings.HasPrefix(body, f.path+":") {
				t.Errorf("reload: %d %s", code, body)
			}
			f.expectReloads(1, 1, 0)
			l.forget()
			l.awaitFiring(t, alertA) // told again
			write(t, f.path, staticFile(l.host()))
			f.reloaded()
			f.expectReloads(2, 1, 1)
		})
	}
}

func TestBrokenNotifierFileDoesNotStopRuleFiles(t *testing.T) {
	w := newWorld(t)
	w.answer("new", map[string]string{"host": "db2"})
	l := newListener(t, w)
	f := withNotifierFile(t, w, staticFile(l.host()))
	write(t, f.path, "static_configs: [")
	write(t, f.rules, alert("a", "new"))
	f.post()
	f.expectExpressions("new")
	l.awaitFiring(t, `{alertgroup="a", alertname="A", host="db2"}`)
}

func TestAllOrNothingCountsTheNotifierFile(t *testing.T) {
	strict := func(o *Options) { o.Rules.AllOrNothing = true }
	t.Run("rules are bad", func(t *testing.T) {
		w := newWorld(t)
		one, two := newListener(t, w), newListener(t, w)
		f := withNotifierFile(t, w, staticFile(one.host()), strict)
		write(t, f.path, staticFile(two.host()))
		write(t, f.rules, "groups: [")
		f.post()
		if got := f.kindsShown(); got != "static "+one.host() {
			t.Errorf("shown are %q, want those of before", got)
		}
	})
	t.Run("the notifier file is bad", func(t *testing.T) {
		w := newWorld(t)
		f := withNotifierFile(t, w, staticFile(newListener(t, w).host()), strict)
		write(t, f.path, "static_configs: [")
		write(t, f.rules, alert("a", "new"))
		f.post()
		f.expectExpressions("up")
	})
}

func TestStartWithBrokenNotifierFileFails(t *testing.T) {
	f := notifierFiles(t, newWorld(t), "static_configs: [{targets: [am], shceme: https}]\n")
	d := launch(t, f.options())
	if err := d.wait(); err == nil || !strings.HasPrefix(err.Error(), f.path+":1: ") {
		t.Errorf("error is %v, want the problem of the file", err)
	}
}

func TestStartDoesNotNeedDiscovery(t *testing.T) {
	w := newWorld(t)
	l := newListener(t, w)
	lists := w.serve(t, func(rw http.ResponseWriter, _ *http.Request) { http.Error(rw, "down", http.StatusBadGateway) })
	f := withNotifierFile(t, w, fmt.Sprintf("http_sd_configs: [{url: '%s', refresh_interval: 10ms}]\n", lists.URL))
	w.handle(lists, func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprintf(rw, `[{"targets":["%s"]}]`, l.host()) })
	l.awaitFiring(t, alertA)
	f.awaitLog("discovery of alertmanagers works again", 1)
}

func TestNotifierFileFromAServer(t *testing.T) {
	w := newWorld(t)
	l := newListener(t, w)
	server := w.serve(t, func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, staticFile(l.host())) })
	f := withNotifierFile(t, w, "", func(o *Options) { o.Notifier.Config = server.URL + "/n.yml?token=hunter2" })
	l.awaitFiring(t, alertA)
	w.handle(server, func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, "static_configs: 7") })
	if _, body := f.post(); !strings.Contains(body, "/n.yml") || strings.Contains(body, "hunter2") {
		t.Errorf("the problem is %q, want it with the URL and without secrets", body)
	}
}

// The connections of a file outlive those who look for targets: what is owed at the
// end goes through them.
func TestEndDeliversOverTheConnectionsOfTheNotifierFile(t *testing.T) {
	w := newWorld(t)
	l := newListener(t, w)
	refused, from := make(chan string, 1), make(chan string, 10)
	w.handle(l.Server, func(rw http.ResponseWriter, r *http.Request) {
		select {
		case refused <- r.RemoteAddr: // the first; the next attempt is not due before the end
			rw.Header().Set("Retry-After", "300")
			rw.WriteHeader(http.StatusServiceUnavailable)
		default:
			from <- r.RemoteAddr
			l.notify(rw, r)
		}
	})
	f := withNotifierFile(t, w, staticFile(l.host()))
	await(t, "the first attempt is settled", func() bool {
		return f.metric(fmt.Sprintf(`vmalert_alerts_send_errors_total{addr="%s"}`, l.URL+"/api/v2/alerts")) > 0
	})
	if err := f.stop(); err != nil {
		t.Fatal(err)
	}
	if fires, _ := l.knows(alertA); !fires {
		t.Error("what was queued is not delivered")
	}
	if was, is := <-refused, <-from; is != was {
		t.Errorf("the end made a connection of its own, from %s, where there was one from %s", is, was)
	}
}

func TestDuplicateOfTwoBlocksIsReportedOnce(t *testing.T) {
	w := newWorld(t)
	l := newListener(t, w)
	f := notifierFiles(t, w, staticFile(l.host())+filesOnly)
	f.list(t, "a.json", l.host())
	f.running = start(t, f.options())
	f.awaitLog("alertmanager is given more than once", 1)
	f.reloaded()
	if n := len(f.log.records("alertmanager is given more than once")); n != 1 {
		t.Errorf("reported %d times", n)
	}
	if got := f.kindsShown(); got != "static "+l.host()+"; fileSD " {
		t.Errorf("shown are %q, want it once", got)
	}
}

func TestDryRunChecksTheNotifierFile(t *testing.T) {
	f := notifierFiles(t, newWorld(t), staticFile("am:9093"))
	if out, err := dry(f.options()); err != nil || !strings.Contains(out, "1 rules") {
		t.Errorf("a good file: %q, %v", out, err)
	}
	for text, want := range map[string]string{
		"static_configs: 7": f.path + ":1: ",
		"static_configs: [{targets: [am], tls_config: {ca_file: /does/not/exist}}]": f.path + ":1: TLS CA: ",
	} {
		write(t, f.path, text)
		if _, err := dry(f.options()); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: error is %v, want it to begin with %s", text, err, want)
		}
	}
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	if _, err := dry(f.options()); err == nil || !strings.Contains(err.Error(), f.path) {
		t.Errorf("error of a missing file is %v", err)
	}
}
