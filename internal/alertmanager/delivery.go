package alertmanager

import "github.com/prometheus/prometheus/model/labels"

// Delivery is how far the news of one alert has come to one target.
type Delivery struct {
	Status
	Waiting bool // the latest state is not yet accepted
	Dropped bool // relabeling keeps the alert from this target
}

// Deliveries returns how far the news of the alert with these labels has come to
// each target, in the order of Targets.
func (s *Set) Deliveries(l labels.Labels) []Delivery {
	targets := s.list()
	all := make([]Delivery, len(targets))
	for i, t := range targets {
		all[i] = Delivery{
			Status: t.Status(), Waiting: t.mail.holds(l),
			Dropped: t.endpoint.Relabeling.apply(l).IsEmpty(),
		}
	}
	return all
}

// Deliveries is that the blackhole has taken what there was.
func (b *Blackhole) Deliveries(labels.Labels) []Delivery {
	return []Delivery{{Status: b.Targets()[0]}}
}
