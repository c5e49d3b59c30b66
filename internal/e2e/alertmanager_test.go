package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/e2e/servers"
)

// alertmanager is a running Alertmanager that notifies nobody.
type alertmanager struct {
	*process
	url string
}

// newAlertmanager returns an Alertmanager that is yet to be started.
func newAlertmanager(t *testing.T) *alertmanager {
	t.Helper()
	addr, dir := freeAddr(t), t.TempDir()
	config := writeFile(t, dir, "alertmanager.yml", "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
	command, err := servers.Alertmanager(addr, dir, config)
	if err != nil {
		t.Fatal(err)
	}
	return &alertmanager{url: "http://" + addr, process: &process{Command: *command}}
}

func startAlertmanager(t *testing.T) *alertmanager {
	t.Helper()
	am := newAlertmanager(t)
	am.start(t)
	return am
}

// heldAlert is an active alert as Alertmanager's API shows it.
type heldAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
}

// alerts returns the active alerts, sorted by alertname.
func (a *alertmanager) alerts() ([]heldAlert, error) {
	body, err := get(a.url + "/api/v2/alerts?active=true")
	if err != nil {
		return nil, err
	}
	var held []heldAlert
	if err := json.Unmarshal([]byte(body), &held); err != nil {
		return nil, err
	}
	slices.SortFunc(held, func(x, y heldAlert) int {
		return strings.Compare(x.Labels["alertname"], y.Labels["alertname"])
	})
	return held, nil
}

// names returns the names of the active alerts, sorted and joined by spaces.
func (a *alertmanager) names() (string, error) {
	held, err := a.alerts()
	if err != nil {
		return "", err
	}
	var names []string
	for _, x := range held {
		names = append(names, x.Labels["alertname"])
	}
	return strings.Join(names, " "), nil
}

// waitFor waits until the active alerts are those named, joined by spaces.
func (a *alertmanager) waitFor(t *testing.T, want string) {
	t.Helper()
	eventually(t, storyTimeout, fmt.Sprintf("Alertmanager holds %q", want), func() error {
		got, err := a.names()
		if err == nil && got != want {
			err = fmt.Errorf("it holds %q", got)
		}
		return err
	})
}

// alert waits until Alertmanager holds an alert of that name and returns it.
func (a *alertmanager) alert(t *testing.T, name string) heldAlert {
	t.Helper()
	var found heldAlert
	eventually(t, storyTimeout, "Alertmanager holds "+name, func() error {
		held, err := a.alerts()
		if err != nil {
			return err
		}
		i := slices.IndexFunc(held, func(x heldAlert) bool { return x.Labels["alertname"] == name })
		if i < 0 {
			return errNone
		}
		found = held[i]
		return nil
	})
	return found
}
