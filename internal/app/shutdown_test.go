package app

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// delivering returns options of a daemon with one alert and one result, which
// has both kinds of peers.
func delivering(t *testing.T, w *world) Options {
	t.Helper()
	w.answer("down", map[string]string{"host": "db1"})
	w.answer("requests", map[string]string{"code": "503"})
	return withAlertmanager(withStorage(options(w, ruleFile(t, oneAlert), ruleFile(t, oneRecord)), w), w)
}

func TestEndDeliversWhatIsQueued(t *testing.T) {
	w := newWorld(t)
	notified, releaseAlerts := w.block(t, w.alertmanager)
	wrote, releaseSamples := w.block(t, w.storage)
	d := start(t, delivering(t, w))
	<-notified
	<-wrote
	// Behind the requests under way there is something new, which only the last
	// requests can bring.
	w.answer("down", map[string]string{"host": "db1"}, map[string]string{"host": "late"})
	w.answer("requests", map[string]string{"code": "late"})
	await(t, "the late alert is queued", func() bool { return d.metric("vmalert_alerts_fired_total") == 2 })
	before := w.asks("requests")
	await(t, "the late result is queued", func() bool { return w.asks("requests") > before+1 })

	d.cancel()
	d.awaitLog("tocsin is stopping", 1)
	releaseAlerts()
	releaseSamples()
	if err := d.wait(); err != nil {
		t.Fatalf("end of the daemon: %v", err)
	}
	hosts := map[string]bool{}
	for _, a := range w.told("Down") {
		hosts[a.Labels["host"]] = true
	}
	if !hosts["db1"] || !hosts["late"] {
		t.Errorf("Alertmanager was told of %v", hosts)
	}
	if !w.hasWritten("503") || !w.hasWritten("total:requests") || !w.hasWritten("late") {
		t.Error("not all results are written")
	}
}

func TestEndWaitsForRoundsUnderWay(t *testing.T) {
	w := newWorld(t)
	o := delivering(t, w)
	o.Rules.EvaluationInterval = time.Minute // a query may take as long
	_, release := w.block(t, w.datasource)
	o.RemoteRead = RemoteReadOptions{}
	d := start(t, o)
	await(t, "both groups ask", func() bool { return d.metric("vmalert_datasource_conn_writes_total") >= 2 })
	d.cancel()
	d.awaitLog("tocsin is stopping", 1)
	release()
	if err := d.wait(); err != nil {
		t.Fatalf("end of the daemon: %v", err)
	}
	if len(w.told("Down")) == 0 || !w.hasWritten("total:requests") {
		t.Errorf("the last round was not told: %d alerts", len(w.told("Down")))
	}
}

func TestEndGivesUpOnPeersThatHang(t *testing.T) {
	w := newWorld(t)
	notified, _ := w.block(t, w.alertmanager)
	wrote, _ := w.block(t, w.storage)
	o := delivering(t, w)
	o.Notifier.DrainTimeout = 10 * time.Millisecond
	o.RemoteWrite.DrainTimeout = 10 * time.Millisecond
	d := start(t, o)
	<-notified
	<-wrote
	err := d.stop()
	if err == nil {
		t.Fatal("nothing was left undone")
	}
	for _, part := range []string{"notifiers left undone: ", "remote write left undone: "} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

// Rounds get a while to finish, and then the end comes all the same.
func TestEndCutsRoundsShortThatHang(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	arrived, _ := w.block(t, w.datasource)
	d := start(t, withBlackhole(options(w, ruleFile(t, "groups: [{name: g, interval: 1h, rules: [{alert: A, expr: up}]}]"))))
	<-arrived
	if err := d.stop(); err != nil {
		t.Errorf("end of the daemon: %v", err)
	}
	if n := d.log.records("rule failed"); len(n) > 0 {
		t.Errorf("a round that was cut short is logged as failed: %v", n)
	}
}

func TestEndTellsBalancersFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := withBlackhole(options(w, ruleFile(t, oneAlert)))
	o.HTTP.ShutdownDelay = time.Second
	d := start(t, o)
	d.cancel()
	d.awaitLog("tocsin is stopping", 1)
	await(t, "/health says no", func() bool {
		code, _ := d.get("/health")
		return code == http.StatusServiceUnavailable
	})
	if code, _ := d.get("/-/ready"); code != http.StatusServiceUnavailable {
		t.Errorf("/-/ready is %d at the end", code)
	}
	d.expectGroups("servers")
	if code, body := d.post(); code != http.StatusInternalServerError || !strings.Contains(body, errStopping.Error()) {
		t.Errorf("a reload at the end is answered with %d %s", code, body)
	}
}

func TestEndClosesAllConnections(t *testing.T) {
	w := newWorld(t)
	rules := w.serve(t, func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte(oneAlert)) })
	o := delivering(t, w)
	o.Rules.Files = append(o.Rules.Files, rules.URL+"/rules.yml")
	d := start(t, o)
	w.awaitAlert(t, "Down")
	await(t, "results are written", func() bool { return w.hasWritten("total:requests") })
	if err := d.stop(); err != nil {
		t.Fatalf("end of the daemon: %v", err)
	}
	for name, s := range map[string]func() int{
		"datasource":   func() int { return w.connections(w.datasource) },
		"storage":      func() int { return w.connections(w.storage) },
		"Alertmanager": func() int { return w.connections(w.alertmanager) },
		"rule server":  func() int { return w.connections(rules) },
	} {
		await(t, "the connections to the "+name+" are closed", func() bool { return s() == 0 })
	}
}
