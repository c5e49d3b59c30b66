package discovery

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeConsul answers as Consul's documentation of its HTTP API has it: at once
// unless an index is given that is the present one, and then when something
// changes or the time to wait is over.
type fakeConsul struct {
	t testing.TB

	mu        sync.Mutex
	index     uint64
	instances []consulInstance
	broken    int // the status of every answer; 0 is as it should be
	rubbish   bool
	asked     []question
	changed   chan struct{} // closed at each change
}

// question is a request that came.
type question struct {
	at    time.Time
	path  string
	args  url.Values
	token string
}

func newFakeConsul(t testing.TB) *fakeConsul {
	return &fakeConsul{t: t, index: 7, changed: make(chan struct{})}
}

// instance returns an instance of a service on a node of its own.
func instance(service, id, address string, port int, tags ...string) consulInstance {
	var i consulInstance
	i.Node.Node, i.Node.Address, i.Node.Datacenter = "node-"+id, "10.0.0.1", "dc1"
	i.Service.Service, i.Service.ID, i.Service.Address, i.Service.Port = service, id, address, port
	i.Service.Tags = tags
	i.Checks = []consulCheck{{CheckID: "serfHealth", Status: "passing"}}
	return i
}

// has makes instances all that there are.
func (f *fakeConsul) has(instances ...consulInstance) {
	f.change(func() { f.instances = instances })
}

// breaks makes every answer one of that status; 0 mends it.
func (f *fakeConsul) breaks(status int) { f.change(func() { f.broken = status }) }

// talksRubbish makes every answer a page that is no JSON.
func (f *fakeConsul) talksRubbish() { f.change(func() { f.rubbish = true }) }

// restarts makes the index begin anew.
func (f *fakeConsul) restarts() {
	f.change(func() { f.index = 1 })
}

func (f *fakeConsul) change(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.index++
	do()
	close(f.changed)
	f.changed = make(chan struct{})
}

// questions returns those since the last call.
func (f *fakeConsul) questions() []question {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := f.asked
	f.asked = nil
	return asked
}

func (f *fakeConsul) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	args := r.URL.Query()
	f.mu.Lock()
	f.asked = append(f.asked, question{time.Now(), r.URL.Path, args, r.Header.Get("Authorization")})
	index, broken, changed := f.index, f.broken, f.changed
	f.mu.Unlock()
	if since, err := strconv.ParseUint(args.Get("index"), 10, 64); err == nil && since == index && broken == 0 {
		wait, err := time.ParseDuration(args.Get("wait"))
		if err != nil {
			f.t.Errorf("wait: %v", err)
		}
		select {
		case <-changed:
		case <-time.After(wait):
		case <-r.Context().Done():
			return
		}
	}
	f.answer(w, r.URL.Path, args)
}

func (f *fakeConsul) answer(w http.ResponseWriter, path string, args url.Values) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != 0 {
		w.WriteHeader(f.broken)
		return
	}
	if f.rubbish {
		if _, err := io.WriteString(w, "<html>welcome</html>"); err != nil {
			f.t.Error(err)
		}
		return
	}
	var body any
	if path == "/v1/catalog/services" {
		body = f.services()
	} else if service, ok := strings.CutPrefix(path, "/v1/health/service/"); ok {
		body = f.instancesOf(service, args["tag"])
	} else {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("X-Consul-Index", strconv.FormatUint(f.index, 10))
	if err := json.NewEncoder(w).Encode(body); err != nil {
		f.t.Error(err)
	}
}

// services returns the tags of each service.
func (f *fakeConsul) services() map[string][]string {
	all := map[string]map[string]bool{}
	for _, i := range f.instances {
		if all[i.Service.Service] == nil {
			all[i.Service.Service] = map[string]bool{}
		}
		for _, tag := range i.Service.Tags {
			all[i.Service.Service][tag] = true
		}
	}
	listed := map[string][]string{}
	for name, tags := range all {
		listed[name] = slices.Sorted(maps.Keys(tags))
	}
	return listed
}

func (f *fakeConsul) instancesOf(service string, tags []string) []consulInstance {
	found := []consulInstance{}
	for _, i := range f.instances {
		lacks := func(tag string) bool { return !slices.Contains(i.Service.Tags, tag) }
		if i.Service.Service == service && !slices.ContainsFunc(tags, lacks) {
			found = append(found, i)
		}
	}
	return found
}
