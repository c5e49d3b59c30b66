package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tocsin/internal/e2e/servers"
)

// binaryDir is where the daemon is built; set by TestMain.
var binaryDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "tocsin-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binaryDir = dir
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// build builds the daemon once, with the race detector where the tests have it.
var build = sync.OnceValues(func() (string, error) {
	path := filepath.Join(binaryDir, "tocsin")
	return path, servers.Build(path)
})

// tocsin is a running daemon with one rule file.
type tocsin struct {
	*process
	url   string
	rules string // path of the rule file
}

// newTocsin returns a daemon that is yet to be started, with rules in its file
// and the arguments of the story after those which all stories share.
func newTocsin(t *testing.T, rules string, args ...string) *tocsin {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	addr, path := freeAddr(t), writeFile(t, t.TempDir(), "rules.yml", rules)
	return &tocsin{url: "http://" + addr, rules: path, process: &process{Command: servers.Command{
		Name: "tocsin", Path: bin,
		Args: append([]string{
			"-httpListenAddr=" + addr, "-rule=" + path, "-external.url=http://" + addr,
			"-evaluationInterval=1s", "-rule.evalDelay=1s", "-group.maxStartDelay=1s",
			"-remoteWrite.flushInterval=200ms", "-storage.path=",
			// An alert then stays at Alertmanager for minutes unless it is resolved.
			"-rule.resendDelay=1m",
		}, args...),
		ReadyURL: "http://" + addr + "/-/ready",
	}}}
}

// StartTocsin builds the daemon, if that is yet to be done, starts it with rules
// in its file and waits until it is ready.
func StartTocsin(t *testing.T, rules string, args ...string) *tocsin {
	t.Helper()
	d := newTocsin(t, rules, args...)
	d.start(t)
	return d
}

// against returns the arguments that make s the storage for everything.
func against(s *storage) []string {
	return []string{"-datasource.url=" + s.url, "-remoteWrite.url=" + s.url, "-remoteRead.url=" + s.url}
}

// withAlertmanager returns the arguments for s and an Alertmanager.
func withAlertmanager(s *storage, am *alertmanager) []string {
	return append(against(s), "-notifier.url="+am.url)
}

// edit replaces the rules. They are in force only after a reload.
func (d *tocsin) edit(t *testing.T, rules string) {
	t.Helper()
	writeFile(t, filepath.Dir(d.rules), filepath.Base(d.rules), rules)
}

// activeAlert is an alert of the daemon's API.
type activeAlert struct {
	Name     string    `json:"name"`
	State    string    `json:"state"`
	ActiveAt time.Time `json:"activeAt"`
	Restored bool      `json:"restored"`
}

// alerts returns the active alerts.
func (d *tocsin) alerts() ([]activeAlert, error) {
	var a struct {
		Data struct {
			Alerts []activeAlert `json:"alerts"`
		} `json:"data"`
	}
	err := d.api("/api/v1/alerts", &a)
	return a.Data.Alerts, err
}

// alert returns the only active alert.
func (d *tocsin) alert() (activeAlert, error) {
	alerts, err := d.alerts()
	if err == nil && len(alerts) != 1 {
		err = fmt.Errorf("there are %d alerts", len(alerts))
	}
	if err != nil {
		return activeAlert{}, err
	}
	return alerts[0], nil
}

// ruleNames returns the names of all rules in the order of the API.
func (d *tocsin) ruleNames() (string, error) {
	var a struct {
		Data struct {
			Groups []struct {
				Rules []struct {
					Name string `json:"name"`
				} `json:"rules"`
			} `json:"groups"`
		} `json:"data"`
	}
	if err := d.api("/api/v1/rules", &a); err != nil {
		return "", err
	}
	var names []string
	for _, g := range a.Data.Groups {
		for _, r := range g.Rules {
			names = append(names, r.Name)
		}
	}
	return strings.Join(names, " "), nil
}

func (d *tocsin) api(path string, into any) error {
	body, err := get(d.url + path)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(body), into)
}

// metric returns the sum of a metric over its series.
func (d *tocsin) metric(name string) (sum float64, err error) {
	body, err := get(d.url + "/metrics")
	if err != nil {
		return 0, err
	}
	found := false
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		rest, ok := strings.CutPrefix(line, name)
		if !ok || !strings.HasPrefix(rest, "{") && !strings.HasPrefix(rest, " ") {
			continue
		}
		v, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err != nil {
			return 0, fmt.Errorf("metric line %q: %w", line, err)
		}
		sum, found = sum+v, true
	}
	if !found {
		return 0, fmt.Errorf("metric %s: %w", name, errNone)
	}
	return sum, nil
}
