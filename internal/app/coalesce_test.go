package app

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// served is a daemon whose rules come from a server of w.
type served struct {
	*running
	w      *world
	rules  *httptest.Server
	served atomic.Int64 // times that the rule file was read
}

// serveRules returns a daemon that is still to be started, with the rule file text.
func serveRules(t *testing.T, text string) *served {
	t.Helper()
	w := newWorld(t)
	s := &served{w: w, rules: w.serve(t, http.NotFound)}
	s.serves(text)
	return s
}

// startServed starts a daemon with the rule file text.
func startServed(t *testing.T, text string, change ...func(*Options)) *served {
	t.Helper()
	s := serveRules(t, text)
	s.start(t, change...)
	return s
}

func (s *served) start(t *testing.T, change ...func(*Options)) {
	t.Helper()
	o := withBlackhole(options(s.w, s.rules.URL+"/rules.yml"))
	for _, c := range change {
		c(&o)
	}
	s.running = start(t, o)
}

func (s *served) serves(text string) {
	s.w.handle(s.rules, func(rw http.ResponseWriter, _ *http.Request) {
		s.served.Add(1)
		_, _ = rw.Write([]byte(text))
	})
}

// asked is the answer to a request for a reload.
type asked struct {
	code int
	body string
	err  error
}

// postLater asks for n reloads at once.
func (d *running) postLater(n int) (answers func() []asked) {
	all := make([]asked, n)
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() { all[i].code, all[i].body, all[i].err = d.ask(http.MethodPost, "/-/reload") })
	}
	return func() []asked {
		d.t.Helper()
		done := make(chan struct{})
		go func() { wg.Wait(); close(done) }()
		select {
		case <-done:
			return all
		case <-time.After(patience + time.Second):
			d.t.Fatalf("a request for a reload is not answered; the log:\n%s", d.log)
			return nil
		}
	}
}

func (d *running) requests() float64 {
	return d.metric(`vm_http_requests_total{path="/-/reload"}`)
}

// Whoever asks while a reload is under way gets one that began afterwards, all of
// them the same.
func TestConcurrentReloadsCoalesce(t *testing.T) {
	s := startServed(t, group("one", "up"))
	arrived, release := s.w.block(t, s.rules)
	first := s.postLater(1)
	<-arrived
	const crowd = 20
	others := s.postLater(crowd)
	await(t, "all requests have come", func() bool { return s.requests() == 1+crowd })
	s.serves(group("two", "up"))
	release()
	for _, a := range append(first(), others()...) {
		if a.err != nil || a.code != http.StatusOK {
			t.Errorf("answered %d %s, %v", a.code, a.body, a.err)
		}
	}
	s.expectGroups("two")
	if n := s.metric(reloadTotal); n < 2 || n > crowd/2 {
		t.Errorf("%v reloads for %d requests", n, 1+crowd)
	}
}

func TestReloadWhoseClientGoesAwayIsCompleted(t *testing.T) {
	s := startServed(t, group("one", "up"))
	arrived, release := s.w.block(t, s.rules)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	ask, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url("/-/reload"), nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() { <-arrived; leave() }()
	impatient := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	if _, err := impatient.Do(ask); !errors.Is(err, context.Canceled) {
		t.Fatalf("the reload was answered: %v", err)
	}
	release()
	s.awaitLog("rules reloaded", 1)
}

func TestReloadAtTheEndIsAnswered(t *testing.T) {
	s := startServed(t, group("one", "up"))
	arrived, _ := s.w.block(t, s.rules)
	answers := s.postLater(3)
	<-arrived
	await(t, "all requests have come", func() bool { return s.requests() == 3 })
	s.cancel()
	for _, a := range answers() {
		if a.err != nil || a.code != http.StatusInternalServerError || a.body == "" {
			t.Errorf("answered %d %q, %v, want 500 with the reason", a.code, a.body, a.err)
		}
	}
	if err := s.wait(); err != nil {
		t.Errorf("end of the daemon: %v", err)
	}
}

// A reload that the end of the daemon cuts short is nobody's mistake.
func TestReloadCutShortByTheEndIsNoError(t *testing.T) {
	s := startServed(t, group("one", "up"))
	arrived, _ := s.w.block(t, s.rules)
	s.reload <- struct{}{}
	<-arrived
	if err := s.stop(); err != nil {
		t.Errorf("end of the daemon: %v", err)
	}
	if r := s.log.records("reload failed, the rules in force go on"); len(r) > 0 {
		t.Errorf("logged %v", r)
	}
}

func TestReloadAskedForDuringTheFirstLoadIsServed(t *testing.T) {
	w := newWorld(t)
	rules := w.serve(t, http.NotFound)
	arrived, release := w.block(t, rules)
	d := launch(t, withBlackhole(options(w, rules.URL+"/rules.yml")))
	<-arrived
	answers := d.postLater(1)
	await(t, "the request has come", func() bool { return d.requests() == 1 })
	w.handle(rules, func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte(oneAlert)) })
	release()
	if a := answers()[0]; a.code != http.StatusOK {
		t.Errorf("answered %+v", a)
	}
	d.expectGroups("servers")
}

func TestReloadAskedForDuringAFirstLoadThatIsEndedIsAnswered(t *testing.T) {
	w := newWorld(t)
	rules := w.serve(t, http.NotFound)
	arrived, _ := w.block(t, rules)
	d := launch(t, withBlackhole(options(w, rules.URL+"/rules.yml")))
	<-arrived
	answers := d.postLater(1)
	await(t, "the request has come", func() bool { return d.requests() == 1 })
	d.cancel()
	if a := answers()[0]; a.err != nil || a.code != http.StatusInternalServerError {
		t.Errorf("answered %+v, want 500", a)
	}
	if err := d.wait(); err != nil {
		t.Errorf("end of the daemon: %v", err)
	}
}

// A round under way when a reload replaces its group must not hold up the end.
func TestEndDuringReloadThatWaitsForARound(t *testing.T) {
	t.Parallel()
	s := serveRules(t, "groups: [{name: g, interval: 1m, rules: [{alert: A, expr: up}]}]")
	arrived, _ := s.w.block(t, s.w.datasource)
	s.start(t)
	<-arrived
	s.serves("groups: [{name: g, interval: 2m, rules: [{alert: A, expr: up}]}]")
	answers := s.postLater(1)
	await(t, "the reload waits for the round", func() bool { return s.requests() == 1 && s.served.Load() == 2 })
	if err := s.stop(); err != nil {
		t.Errorf("end of the daemon: %v", err)
	}
	if a := answers()[0]; a.err != nil {
		t.Errorf("answered %+v", a)
	}
}
