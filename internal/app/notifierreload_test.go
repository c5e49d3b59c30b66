package app

import (
	"fmt"
	"net/http"
	"testing"
)

// vmalert ignores it until it is restarted.
func TestChangedGlobalAlertRelabelingTakesEffect(t *testing.T) {
	w := newWorld(t)
	l := newListener(t, w)
	f := withNotifierFile(t, w, staticFile(l.host()))
	l.awaitFiring(t, alertA)
	write(t, f.path, staticFile(l.host())+"alert_relabel_configs: [{target_label: site, replacement: eu}]\n")
	f.reloaded()
	l.awaitFiring(t, `{alertgroup="a", alertname="A", host="db1", site="eu"}`)
	l.awaitEnd(t, alertA)
}

// A file is edited while the server is down that knows the new targets.
func TestTargetsStayUntilThoseOfTheNewFileWereLookedUp(t *testing.T) {
	w := newWorld(t)
	old, next := newListener(t, w), newListener(t, w)
	f := withNotifierFile(t, w, staticFile(old.host()))
	old.awaitFiring(t, alertA)
	lists := w.serve(t, func(rw http.ResponseWriter, _ *http.Request) { http.Error(rw, "down", http.StatusBadGateway) })
	write(t, f.path, fmt.Sprintf("http_sd_configs: [{url: '%s', refresh_interval: 10ms}]\n", lists.URL))
	f.reloaded()
	shown := f.notifiersShown()
	if got := f.kindsShown(); got != "static "+old.host()+"; httpSD " {
		t.Errorf("shown are %q, want the old target to stay", got)
	}
	if want := "get targets from " + lists.URL + ": status 502: down"; shown.Notifiers[1].LastError != want {
		t.Errorf("last error is %q, want %q", shown.Notifiers[1].LastError, want)
	}
	if got := f.metric(`tocsin_discovery_failing{kind="httpSD"}`); got != 1 {
		t.Errorf("%v blocks fail in /metrics, want 1", got)
	}
	w.handle(lists, func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprintf(rw, `[{"targets":["%s"]}]`, next.host()) })
	next.awaitFiring(t, alertA)
	await(t, "the old target is gone", func() bool { return f.kindsShown() == "httpSD "+next.host() })
}

func TestUnchangedBlockIsNotLookedUpAnew(t *testing.T) {
	w := newWorld(t)
	l := newListener(t, w)
	asked := make(chan struct{}, 10)
	lists := w.serve(t, func(rw http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		fmt.Fprintf(rw, `[{"targets":["%s"]}]`, l.host())
	})
	block := fmt.Sprintf("http_sd_configs: [{url: '%s', refresh_interval: 1h}]\n", lists.URL)
	f := withNotifierFile(t, w, block)
	<-asked
	write(t, f.path, block+staticFile(newListener(t, w).host()))
	f.reloaded()
	if len(asked) != 0 {
		t.Error("the list was fetched again though its block is as it was")
	}
	if got := f.metric(`tocsin_discovery_targets{kind="httpSD"}`); got != 1 {
		t.Errorf("%v targets, want 1", got)
	}
}

func TestHungLookUpHoldsAReloadForSecondsOnly(t *testing.T) {
	w := newWorld(t)
	l := newListener(t, w)
	f := withNotifierFile(t, w, staticFile(l.host()))
	lists := w.serve(t, func(http.ResponseWriter, *http.Request) {})
	asked, _ := w.block(t, lists)
	write(t, f.path, fmt.Sprintf("http_sd_configs: [{url: '%s'}]\n", lists.URL))
	f.reloaded()
	select {
	case <-asked:
	default:
		t.Error("the reload was done before the list was asked for")
	}
	if got := f.kindsShown(); got != "static "+l.host()+"; httpSD " {
		t.Errorf("shown are %q, want the old target to stay", got)
	}
}
