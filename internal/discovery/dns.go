package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config/notifiers"
)

const (
	dnsInterval = 30 * time.Second
	dnsTimeout  = 10 * time.Second // of a look-up
)

// Resolver asks the domain name system. A *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
}

// dns finds what records name. A name that does not exist, or has no such record,
// names nobody; that is no failure.
type dns struct {
	block    *notifiers.DNS
	resolver Resolver
	parts    *parts
	tally    *tally
}

func newDNS(d *notifiers.DNS, o *Options, t *tally) source {
	s := &dns{block: d, resolver: o.Resolver, tally: t}
	if s.resolver == nil {
		s.resolver = net.DefaultResolver
	}
	names := slices.Clone(d.Names)
	slices.Sort(names)
	s.parts = newParts(slices.Compact(names)...)
	return &poll{every: defaulted(d.Refresh, o.DNSInterval, dnsInterval), look: s.look}
}

func (s *dns) look(ctx context.Context) view {
	ctx, cancel := context.WithTimeout(ctx, dnsTimeout)
	defer cancel()
	var wg sync.WaitGroup
	for _, name := range s.parts.names() {
		wg.Go(func() {
			targets, err := s.lookUp(ctx, name)
			s.tally.count(err)
			s.parts.set(name, targets, err)
		})
	}
	wg.Wait()
	return s.parts.view()
}

// lookUp returns the targets that one name stands for, in order of their addresses:
// servers answer in any.
func (s *dns) lookUp(ctx context.Context, name string) ([]labels.Labels, error) {
	var targets []labels.Labels
	var err error
	switch s.block.Type {
	case notifiers.SRV:
		targets, err = s.services(ctx, name)
	case notifiers.MX:
		targets, err = s.mailServers(ctx, name)
	default:
		targets, err = s.addresses(ctx, name)
	}
	var missing *net.DNSError
	if errors.As(err, &missing) && missing.IsNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up %s of %s: %w", s.block.Type, name, err)
	}
	slices.SortFunc(targets, func(a, b labels.Labels) int {
		return strings.Compare(a.Get(addressLabel), b.Get(addressLabel))
	})
	return slices.CompactFunc(targets, labels.Equal), nil
}

func (s *dns) addresses(ctx context.Context, name string) ([]labels.Labels, error) {
	network := "ip4"
	if s.block.Type == notifiers.AAAA {
		network = "ip6"
	}
	found, err := s.resolver.LookupNetIP(ctx, network, name)
	if err != nil {
		return nil, err
	}
	var targets []labels.Labels
	for _, ip := range found {
		targets = append(targets, serviceTarget(name, ip.Unmap().String(), s.block.Port))
	}
	return targets, nil
}

func (s *dns) services(ctx context.Context, name string) ([]labels.Labels, error) {
	_, found, err := s.resolver.LookupSRV(ctx, "", "", name)
	if err != nil {
		return nil, err
	}
	var targets []labels.Labels
	for _, r := range found {
		targets = append(targets, serviceTarget(name, strings.TrimRight(r.Target, "."), int(r.Port)))
	}
	return targets, nil
}

func (s *dns) mailServers(ctx context.Context, name string) ([]labels.Labels, error) {
	found, err := s.resolver.LookupMX(ctx, name)
	if err != nil {
		return nil, err
	}
	var targets []labels.Labels
	for _, r := range found {
		host := strings.TrimRight(r.Host, ".")
		targets = append(targets, labels.FromStrings(
			addressLabel, net.JoinHostPort(host, strconv.Itoa(s.block.Port)),
			"__meta_dns_name", name,
			"__meta_dns_mx_record_target", host,
		))
	}
	return targets, nil
}

// serviceTarget has the labels of SRV records for addresses as well, as vmalert
// gives them.
func serviceTarget(name, host string, port int) labels.Labels {
	return labels.FromStrings(
		addressLabel, net.JoinHostPort(host, strconv.Itoa(port)),
		"__meta_dns_name", name,
		"__meta_dns_srv_record_target", host,
		"__meta_dns_srv_record_port", strconv.Itoa(port),
	)
}
