package web

import (
	"tocsin/config"
	"tocsin/rules"
)

// notifiersData is who is told of alerts.
type notifiersData struct {
	Groups  []notifierSection
	Targets int
	Failing int // of them
	Waiting int // alerts, for there to be a notifier
}

type notifierSection struct {
	Kind      string
	LastError string // of discovery
	Targets   []targetRow
}

type targetRow struct {
	Address   string
	Labels    []config.Pair
	LastError string
	Delivered when
	Queued    int
	Oldest    when // since when the one that waits longest does
}

func (s *Server) notifiersPage(q pageRequest) (pageContent, error) {
	d := notifiersData{Waiting: s.opts.State.Waiting()}
	for _, g := range s.opts.State.Notifiers() {
		section := notifierSection{Kind: g.Kind, LastError: g.LastError}
		for _, t := range g.Targets {
			d.Targets++
			if t.LastError != "" {
				d.Failing++
			}
			section.Targets = append(section.Targets, targetRow{
				Address: t.Address, Labels: sortedPairs(t.Labels), LastError: t.LastError,
				Delivered: q.when(rules.InstantOf(t.LastSuccess)), Queued: t.Queued,
				Oldest: q.when(rules.InstantOf(t.Oldest)),
			})
		}
		d.Groups = append(d.Groups, section)
	}
	return pageContent{Template: "notifiers", Title: "Notifiers", Data: d}, nil
}
