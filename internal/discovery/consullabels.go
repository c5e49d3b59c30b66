package discovery

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
)

// consulInstance is one instance of a service as Consul tells of it.
type consulInstance struct {
	Node struct {
		Node, Address, Datacenter string
		Meta, TaggedAddresses     map[string]string
	}
	Service struct {
		ID, Service, Address string
		Namespace, Partition string
		Port                 int
		Tags                 []string
		Meta                 map[string]string
	}
	Checks []consulCheck
}

type consulCheck struct{ CheckID, Status string }

func parseInstances(body []byte) ([]consulInstance, error) {
	var all []consulInstance
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, fmt.Errorf("not a list of instances: %w", err)
	}
	if all == nil {
		return nil, errors.New("not a list of instances: null")
	}
	return all, nil
}

// instanceTargets returns the label sets of the instances of a service, in a fixed
// order.
func instanceTargets(service string, all []consulInstance, separator string) []labels.Labels {
	slices.SortFunc(all, func(a, b consulInstance) int {
		return cmp.Or(cmp.Compare(a.Node.Node, b.Node.Node), cmp.Compare(a.Service.ID, b.Service.ID))
	})
	var targets []labels.Labels
	for i := range all {
		targets = append(targets, all[i].labels(service, separator))
	}
	return targets
}

func (i *consulInstance) labels(service, separator string) labels.Labels {
	address := i.Service.Address
	if address == "" {
		address = i.Node.Address
	}
	b := labels.NewBuilder(labels.EmptyLabels())
	set := func(name, value string) { b.Set("__meta_consul_"+labelName(name), value) }
	b.Set(addressLabel, net.JoinHostPort(address, strconv.Itoa(i.Service.Port)))
	set("address", i.Node.Address)
	set("dc", i.Node.Datacenter)
	set("health", health(i.Checks))
	set("namespace", i.Service.Namespace)
	set("partition", i.Service.Partition)
	set("node", i.Node.Node)
	set("service", service)
	set("service_address", i.Service.Address)
	set("service_id", i.Service.ID)
	set("service_port", strconv.Itoa(i.Service.Port))
	// Separators stand on both sides of every tag, so that a pattern need not mind
	// where in the list it is.
	set("tags", separator+strings.Join(i.Service.Tags, separator)+separator)
	for _, tag := range i.Service.Tags {
		name, value, _ := strings.Cut(tag, "=")
		set("tag_"+name, value)
		set("tagpresent_"+name, "true")
	}
	for _, p := range pairs(i.Node.Meta) {
		set("metadata_"+p.Name, p.Value)
	}
	for _, p := range pairs(i.Service.Meta) {
		set("service_metadata_"+p.Name, p.Value)
	}
	for _, p := range pairs(i.Node.TaggedAddresses) {
		set("tagged_address_"+p.Name, p.Value)
	}
	return b.Labels()
}

// health returns the gravest of the states of checks; "" if one is not known.
func health(checks []consulCheck) string {
	grades := []string{"passing", "warning", "critical", "maintenance"}
	worst := 0
	for _, c := range checks {
		grade := slices.Index(grades[:3], c.Status)
		if c.CheckID == "_node_maintenance" || strings.HasPrefix(c.CheckID, "_service_maintenance:") {
			grade = 3
		}
		if grade < 0 {
			return ""
		}
		worst = max(worst, grade)
	}
	return grades[worst]
}
