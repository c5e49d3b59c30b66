package web

import (
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

// Delivery is how far the news of one alert has come to one Alertmanager.
type Delivery struct {
	Target  NotifierTarget
	Waiting bool // the latest state is not yet accepted
	Dropped bool // relabeling keeps the alert from it
}

// deliveryRow is a Delivery as the page of an alert shows it.
type deliveryRow struct {
	Address, LastError string
	State, Class       string
	Delivered          when
}

// deliveryRows returns where the alert with these labels was sent; nothing for
// one of which nobody is to know yet.
func (s *Server) deliveryRows(q pageRequest, l labels.Labels) []deliveryRow {
	var rows []deliveryRow
	for _, d := range s.opts.State.Deliveries(l) {
		row := deliveryRow{
			Address: d.Target.Address, LastError: d.Target.LastError, State: "accepted", Class: "ok",
			Delivered: q.when(rules.InstantOf(d.Target.LastSuccess)),
		}
		switch {
		case d.Dropped:
			row.State, row.Class, row.LastError = "dropped by relabeling", "", ""
		case d.Waiting && d.Target.LastError != "":
			row.State, row.Class = "failing", "unhealthy"
		case d.Waiting:
			row.State, row.Class = "on its way", "pending"
		}
		rows = append(rows, row)
	}
	return rows
}
