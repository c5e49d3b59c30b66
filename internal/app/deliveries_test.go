package app

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
)

// alertPage returns the page of the only active alert.
func (d *running) alertPage() string {
	d.t.Helper()
	var shown struct {
		Data struct {
			Alerts []struct {
				ID      string `json:"id"`
				GroupID string `json:"group_id"`
			} `json:"alerts"`
		} `json:"data"`
	}
	_, body := d.get("/api/v1/alerts")
	if err := json.Unmarshal([]byte(body), &shown); err != nil || len(shown.Data.Alerts) != 1 {
		d.t.Fatalf("alerts are %s: %v", body, err)
	}
	a := shown.Data.Alerts[0]
	_, page := d.get("/vmalert/alert?group_id=" + a.GroupID + "&alert_id=" + a.ID)
	return page
}

func TestAlertPageNamesWhoHasAcceptedTheAlert(t *testing.T) {
	w := newWorld(t)
	fine := newListener(t, w)
	gone := httptest.NewServer(nil)
	gone.Close()
	f := notifierFiles(t, w, staticFile(fine.URL, gone.URL))
	f.running = start(t, f.options())
	fine.awaitFiring(t, alertA)
	await(t, "one has accepted the alert, and one cannot be reached", func() bool {
		page := f.alertPage()
		accepted, fineAt := strings.Index(page, ">accepted<"), strings.Index(page, fine.URL)
		failing, goneAt := strings.Index(page, ">failing<"), strings.Index(page, gone.URL)
		return 0 < accepted && accepted < fineAt && fineAt < failing && failing < goneAt
	})
}

func TestAlertPageWithoutNotifier(t *testing.T) {
	a := &App{}
	if got := a.deliveries(labels.EmptyLabels()); got != nil {
		t.Errorf("deliveries are %v", got)
	}
}
