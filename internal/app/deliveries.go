package app

import (
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/internal/web"
)

// deliveries returns how far the news of the alert with these labels has come to
// each Alertmanager, in the order in which they were found.
func (a *App) deliveries(l labels.Labels) []web.Delivery {
	if a.notifiers == nil {
		return nil
	}
	var list []web.Delivery
	for _, d := range a.notifiers.Deliveries(l) {
		list = append(list, web.Delivery{Target: notifierTarget(d.Status), Waiting: d.Waiting, Dropped: d.Dropped})
	}
	return list
}
