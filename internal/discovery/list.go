package discovery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
	"tocsin/config/notifiers"
)

// Labels of what is found, besides those of Consul.
const (
	addressLabel  = "__address__"
	filepathLabel = "__meta_filepath"
	urlLabel      = "__meta_url"
)

// newStatic returns a source of targets that are written down.
func newStatic(s *notifiers.Static) source {
	found := targetsOf([]config.TargetGroup{{Targets: s.Targets, Labels: s.Labels}})
	return &poll{look: func(context.Context) view {
		return view{targets: found, tried: true, known: true}
	}}
}

// targetsOf returns the label sets of listed targets, with more labels given as
// names and values in turn.
func targetsOf(groups []config.TargetGroup, more ...string) []labels.Labels {
	var all []labels.Labels
	b := labels.NewBuilder(labels.EmptyLabels())
	for _, g := range groups {
		for _, address := range g.Targets {
			b.Reset(labels.EmptyLabels())
			for _, l := range g.Labels {
				b.Set(l.Name, l.Value)
			}
			for i := 0; i+1 < len(more); i += 2 {
				b.Set(more[i], more[i+1])
			}
			all = append(all, b.Set(addressLabel, strings.TrimSpace(address)).Labels())
		}
	}
	return all
}

// parseJSON reads a JSON list of groups of targets.
func parseJSON(data []byte) ([]config.TargetGroup, error) {
	var list []*struct {
		Targets []string          `json:"targets"`
		Labels  map[string]string `json:"labels"`
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&list); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("no list of targets: it is empty")
		}
		return nil, fmt.Errorf("not a list of targets: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not a list of targets: more follows it")
	}
	if list == nil {
		return nil, errors.New("not a list of targets: null")
	}
	groups := make([]config.TargetGroup, len(list))
	for i, g := range list {
		if g == nil {
			return nil, fmt.Errorf("not a list of targets: item %d is null", i+1)
		}
		groups[i] = config.TargetGroup{Targets: g.Targets, Labels: pairs(g.Labels)}
	}
	return groups, nil
}
