package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// notifierFile is a notifier file whose targets are listed in another file.
type notifierFile struct{ dir, path string }

const listedNotifiers = `
file_sd_configs:
  - files: ['targets-*.json']
    refresh_interval: 100ms
alert_relabel_configs:
  - target_label: via
    replacement: tocsin
`

func newNotifierFile(t *testing.T) *notifierFile {
	t.Helper()
	dir := t.TempDir()
	return &notifierFile{dir: dir, path: writeFile(t, dir, "notifiers.yml", listedNotifiers)}
}

// list makes ams all the targets.
func (n *notifierFile) list(t *testing.T, ams ...*alertmanager) {
	t.Helper()
	hosts := []string{}
	for _, am := range ams {
		hosts = append(hosts, strings.TrimPrefix(am.url, "http://"))
	}
	text, err := json.Marshal([]map[string]any{{"targets": hosts}})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, n.dir, "targets-all.json", string(text))
}

// notifierHosts returns the hosts of the Alertmanagers in the API, in order.
func (d *tocsin) notifierHosts() ([]string, error) {
	var a struct {
		Data struct {
			Notifiers []struct {
				Targets []struct {
					Labels map[string]string `json:"labels"`
				} `json:"targets"`
			} `json:"notifiers"`
		} `json:"data"`
	}
	err := d.api("/api/v1/notifiers", &a)
	hosts := []string{}
	for _, n := range a.Data.Notifiers {
		for _, target := range n.Targets {
			hosts = append(hosts, target.Labels["__address__"])
		}
	}
	return hosts, err
}

// waitForNotifiers waits until the API shows these Alertmanagers.
func (d *tocsin) waitForNotifiers(t *testing.T, ams ...*alertmanager) {
	t.Helper()
	want := []string{}
	for _, am := range ams {
		want = append(want, strings.TrimPrefix(am.url, "http://"))
	}
	eventually(t, storyTimeout, fmt.Sprintf("the Alertmanagers are %v", want), func() error {
		got, err := d.notifierHosts()
		if err == nil && !slices.Equal(got, want) {
			err = fmt.Errorf("they are %v", got)
		}
		return err
	})
}

const listedRules = `
groups:
  - name: listed
    rules:
      - alert: Listed
        expr: sample > 1
`

func TestAlertmanagersComeAndGoInAFileOfTargets(t *testing.T) {
	t.Parallel()
	s, first, second := startVictoriaMetrics(t), startAlertmanager(t), startAlertmanager(t)
	f := feed(t, s, series(2, "sample"))
	n := newNotifierFile(t)
	n.list(t, first)
	d := StartTocsin(t, listedRules, append(against(s), "-notifier.config="+n.path, "-rule.resendDelay=1s")...)
	first.waitFor(t, "Listed")
	if got := first.alert(t, "Listed").Labels["via"]; got != "tocsin" {
		t.Errorf("label via is %q, want what alert_relabel_configs say", got)
	}

	n.list(t, first, second)
	second.waitFor(t, "Listed")
	d.waitForNotifiers(t, first, second)

	n.list(t, second)
	d.waitForNotifiers(t, second)

	// A file that is broken changes nothing.
	writeFile(t, n.dir, filepath.Base(n.path), "file_sd_configs: {")
	d.signal(t, syscall.SIGHUP)
	eventually(t, storyTimeout, "the reload has failed", func() error {
		ok, err := d.metric("vmalert_config_last_reload_successful")
		if err == nil && ok != 0 {
			err = errNone
		}
		return err
	})
	d.waitForNotifiers(t, second)
	f.set(series(1, "sample"))
	second.waitFor(t, "")
}

func TestAlertThatEndsWhileNoAlertmanagerIsListedIsToldOnceOneIs(t *testing.T) {
	t.Parallel()
	s, am := startVictoriaMetrics(t), startAlertmanager(t)
	f := feed(t, s, series(2, "sample"))
	n := newNotifierFile(t)
	n.list(t, am)
	// A firing alert that is not repeated ends by itself in minutes only.
	d := StartTocsin(t, listedRules, append(against(s), "-notifier.config="+n.path)...)
	am.waitFor(t, "Listed")

	n.list(t)
	d.waitForNotifiers(t)
	f.set(series(1, "sample"))
	eventually(t, storyTimeout, "the end of the alert waits", func() error {
		waiting, err := d.metric("tocsin_notifier_waiting_alerts")
		if err == nil && waiting != 1 {
			err = fmt.Errorf("%g alerts wait", waiting)
		}
		return err
	})
	am.waitFor(t, "Listed")
	n.list(t, am)
	am.waitFor(t, "")
}
