package discovery

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"tocsin/config/notifiers"
)

const (
	consulInterval = 30 * time.Second
	consulWait     = 5 * time.Minute
	// minConsulWait and maxConsulWait bound how long Consul is asked to wait.
	minConsulWait = time.Second
	maxConsulWait = 10 * time.Minute
)

// catalog is the part of a block that is the list of services. No service has an
// empty name.
const catalog = ""

// consul finds instances of services. Consul answers a question when there is
// something new, or after a while. The list of services is one question, and the
// instances of each service another, which is asked in a goroutine of its own.
type consul struct {
	block *notifiers.Consul
	asker *consulAsker
	parts *parts

	telling sync.Mutex // held while what is known is looked at and reported

	// Owned by run.
	services map[string]*serviceWatch
}

// serviceWatch is the goroutine that asks about one service.
type serviceWatch struct {
	cancel context.CancelFunc
	ended  chan struct{}
}

func newConsul(c *notifiers.Consul, rt http.RoundTripper, o *Options, t *tally) source {
	every := defaulted(c.Refresh, o.ConsulInterval, consulInterval)
	wait := o.ConsulWait
	if wait <= minConsulWait {
		wait = consulWait
	}
	return &consul{
		block: c, parts: newParts(catalog), services: make(map[string]*serviceWatch),
		asker: &consulAsker{
			base: c.URL, client: &http.Client{Transport: rt}, tally: t,
			// Half of it, as vmalert does: what is new is seen within the interval.
			pause: max(every/2, time.Second),
			wait:  min(wait, maxConsulWait),
		},
	}
}

func (s *consul) run(ctx context.Context, report func(view)) {
	defer s.follow(ctx, nil, report)
	q := s.query()
	if s.block.Query.Filter != "" {
		q.Set("filter", s.block.Query.Filter)
	}
	s.asker.watch(ctx, "/v1/catalog/services", q, func(body []byte, err error) error {
		var names []string
		if err == nil {
			names, err = s.serviceNames(body)
		}
		if err == nil {
			s.parts.keep(append([]string{catalog}, names...))
			s.parts.set(catalog, nil, nil)
			s.follow(ctx, names, report)
		} else {
			err = fmt.Errorf("list the services of %s: %w", s.asker.shown(), err)
			s.parts.set(catalog, nil, err)
		}
		s.tell(report)
		return err
	})
}

// tell reports what is known now. Several goroutines do so at once, and none may
// report what it saw before another reported more: that would last until Consul has
// something new.
func (s *consul) tell(report func(view)) {
	s.telling.Lock()
	defer s.telling.Unlock()
	report(s.parts.view())
}

// query returns the arguments of every question.
func (s *consul) query() url.Values {
	q, c := url.Values{}, &s.block.Query
	for name, value := range map[string]string{"dc": c.Datacenter, "ns": c.Namespace, "partition": c.Partition} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if c.AllowStale {
		q.Set("stale", "")
	}
	for _, m := range c.NodeMeta {
		q.Add("node-meta", m.Name+":"+m.Value)
	}
	return q
}

// serviceNames returns the services to ask about, in order.
func (s *consul) serviceNames(body []byte) ([]string, error) {
	var tags map[string][]string
	if err := json.Unmarshal(body, &tags); err != nil {
		return nil, fmt.Errorf("not a list of services: %w", err)
	}
	var names []string
	for name, has := range tags {
		if name != "" && s.wantsService(name) && s.wantsTags(has) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// wantsService compares names as Consul does, which takes no account of case.
func (s *consul) wantsService(name string) bool {
	wanted := s.block.Query.Services
	return len(wanted) == 0 || slices.ContainsFunc(wanted, func(w string) bool { return strings.EqualFold(w, name) })
}

// wantsTags reports whether some instance may have all the tags: the tags of a
// service are those of all its instances.
func (s *consul) wantsTags(has []string) bool {
	for _, tag := range s.block.Query.Tags {
		if !slices.Contains(has, tag) {
			return false
		}
	}
	return true
}

// follow starts to ask about the services that are new among names, and ceases to
// ask about those that are not among them. It returns when that has come to its end.
func (s *consul) follow(ctx context.Context, names []string, report func(view)) {
	var gone []*serviceWatch
	for name, w := range s.services {
		if !slices.Contains(names, name) {
			w.cancel()
			gone = append(gone, w)
			delete(s.services, name)
		}
	}
	for _, w := range gone {
		<-w.ended
	}
	for _, name := range names {
		if s.services[name] == nil {
			s.services[name] = s.watchService(ctx, name, report)
		}
	}
}

func (s *consul) watchService(ctx context.Context, name string, report func(view)) *serviceWatch {
	ctx, cancel := context.WithCancel(ctx)
	w := &serviceWatch{cancel: cancel, ended: make(chan struct{})}
	q := s.query()
	for _, tag := range s.block.Query.Tags {
		q.Add("tag", tag)
	}
	if s.block.Query.HealthFilter != "" {
		q.Set("filter", s.block.Query.HealthFilter)
	}
	go func() {
		defer close(w.ended)
		s.asker.watch(ctx, "/v1/health/service/"+url.PathEscape(name), q, func(body []byte, err error) error {
			var instances []consulInstance
			if err == nil {
				instances, err = parseInstances(body)
			}
			if err != nil {
				err = fmt.Errorf("list the instances of service %q of %s: %w", name, s.asker.shown(), err)
			}
			s.parts.set(name, instanceTargets(name, instances, s.block.TagSeparator), err)
			s.tell(report)
			return err
		})
	}()
	return w
}
