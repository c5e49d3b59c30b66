package app

import (
	"io"
	"strings"
	"testing"
)

// loadable builds a daemon over one good file and loads it. Nothing serves or reloads
// it but the test, which breaks and mends its options.
func loadable(t *testing.T) (*App, *logBook) {
	t.Helper()
	o := withBlackhole(options(newWorld(t), ruleFile(t, group("one", "up"))))
	o.External.URL = "http://tocsin"
	book := newLogBook()
	a, err := newApp(t.Context(), &o, Signals{Log: book.logger(), Stdout: io.Discard})
	t.Cleanup(func() {
		if err := a.closers.close(); err != nil {
			t.Error(err)
		}
	})
	if err == nil {
		err = a.reloader.first(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return a, book
}

const refusedReload = "reload refused, the rules in force go on"

func TestReloadThatOptionsForbidIsAFailureLikeOthers(t *testing.T) {
	a, book := loadable(t)
	r := a.reloader
	a.opts.External.URL = "%zz"
	r.reload(t.Context(), "signal", nil)
	if total, failed := r.status.total.Get(), r.status.errors.Get(); total != 1 || failed != 1 {
		t.Errorf("%d reloads are counted, %d of them failed", total, failed)
	}
	if err := r.status.lastError(); err == nil || !strings.Contains(err.Error(), "external URL") {
		t.Errorf("the status is %v", err)
	}
	if last := r.status.Recent()[0]; last.Trigger != "signal" || !last.Refused || len(last.Problems) != 1 {
		t.Errorf("shown is %+v", last)
	}
	if n := len(book.records(refusedReload)); n != 1 {
		t.Errorf("logged %d times", n)
	}
	if n := len(a.manager.Groups()); n != 1 {
		t.Errorf("%d groups run, want the one before", n)
	}

	q := request{done: make(chan error, 1)}
	r.reload(t.Context(), "http", []request{q})
	if err := <-q.done; err == nil || !strings.Contains(err.Error(), "external URL") {
		t.Errorf("answered with %v", err)
	}

	a.opts.External.URL = "http://tocsin"
	r.reload(t.Context(), "signal", nil)
	if err := r.status.lastError(); err != nil {
		t.Errorf("afterwards the status is %v", err)
	}
}

func TestCheckThatOptionsForbidIsSaidOnce(t *testing.T) {
	a, book := loadable(t)
	r := a.reloader
	a.opts.External.URL = "%zz"
	for range 3 {
		r.check(t.Context())
	}
	if total, failed := r.status.total.Get(), r.status.errors.Get(); total != 1 || failed != 1 {
		t.Errorf("%d reloads are counted, %d of them failed", total, failed)
	}
	if n := len(book.records(refusedReload)); n != 1 {
		t.Errorf("logged %d times", n)
	}
	a.opts.External.URL = "http://tocsin"
	r.check(t.Context())
	if err := r.status.lastError(); err != nil {
		t.Errorf("afterwards the status is %v", err)
	}
}
