package httpx

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestNamesAreLookedUpAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, &book{records: srv("host1:1")})
		s.ask("http://srv+vm/")
		s.book.records = srv("host2:2")
		time.Sleep(lookupInterval - time.Millisecond)
		s.ask("http://srv+vm/")
		time.Sleep(time.Millisecond)
		s.ask("http://srv+vm/") // does not wait for the new addresses
		synctest.Wait()
		s.ask("http://srv+vm/")
		s.expect("sent", s.crowd.takeSent(), "host1:1 host1:1 host1:1 host2:2")
		if n := s.count("tocsin_dns_lookups_total"); n != 2 {
			t.Errorf("%d look-ups counted", n)
		}
	})
}

func TestLastGoodAddressesAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, &book{records: srv("host1:1")})
		var log bytes.Buffer
		s.under.log = slog.New(slog.NewTextHandler(&log, nil))
		s.ask("http://srv+vm/")
		s.book.fail(&net.DNSError{Err: "server misbehaving", Name: "vm"})
		for range 3 {
			time.Sleep(lookupInterval)
			s.ask("http://srv+vm/")
			synctest.Wait()
		}
		s.book.fail(nil)
		s.book.records = nil // which is a failure, too
		time.Sleep(lookupInterval)
		s.ask("http://srv+vm/")
		synctest.Wait()
		s.expect("sent", s.crowd.takeSent(), "host1:1 host1:1 host1:1 host1:1 host1:1")
		if n := s.count("tocsin_dns_lookup_errors_total"); n != 4 {
			t.Errorf("%d failed look-ups counted", n)
		}
		s.book.records = srv("host2:2")
		time.Sleep(lookupInterval)
		s.ask("http://srv+vm/")
		synctest.Wait()
		if bad, good := strings.Count(log.String(), "cannot be looked up"), strings.Count(log.String(), "can be looked up again"); bad != 1 || good != 1 {
			t.Errorf("log:\n%s", log.String())
		}
	})
}

func TestFirstRequestsWaitForTheAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, &book{records: srv("host1:1"), gate: make(chan struct{})})
		answers := make(chan string)
		for range 3 {
			go func() { text, _ := s.try(t.Context(), "http://srv+vm/"); answers <- text }()
		}
		synctest.Wait()
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.try(impatient, "http://srv+vm/"); !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "look up vm: ") {
			t.Errorf("got %v", err)
		}
		close(s.book.gate)
		for range 3 {
			s.expect("answer", <-answers, "host1:1 as vm q")
		}
		if len(s.book.asked) != 1 {
			t.Errorf("looked up %d times", len(s.book.asked))
		}
	})
}

func TestNameWithoutAddressesIsAnErrorUntilItHasSome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, &book{err: &net.DNSError{Err: "no such host", Name: "vm", IsNotFound: true}})
		for range 5 {
			var dns *net.DNSError
			if _, err := s.try(t.Context(), "http://srv+vm/"); !errors.As(err, &dns) {
				t.Fatalf("got %v", err)
			}
		}
		if len(s.book.asked) != 1 {
			t.Errorf("looked up %d times at once", len(s.book.asked))
		}
		s.book.fail(nil)
		s.book.records = srv("host1:1")
		time.Sleep(lookupRetry)
		s.ask("http://srv+vm/")
	})
}

func TestSlowLookupHoldsUpNobodyWhoHasAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, &book{records: srv("host1:1")})
		s.ask("http://srv+vm/")
		s.book.gate = make(chan struct{}) // never opened
		time.Sleep(lookupInterval)
		began := time.Now()
		s.ask("http://srv+vm/")
		if took := time.Since(began); took != 0 {
			t.Errorf("took %s", took)
		}
		time.Sleep(lookupTimeout)
		synctest.Wait()
		if n := s.count("tocsin_dns_lookup_errors_total"); n != 1 {
			t.Errorf("%d failed look-ups counted", n)
		}
	})
}

func TestCloseEndsTheLookupUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, &book{gate: make(chan struct{})})
		failed := make(chan error)
		go func() { _, err := s.try(t.Context(), "http://srv+vm/"); failed <- err }()
		synctest.Wait()
		s.under.close()
		if err := <-failed; !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v", err)
		}
		if _, err := s.try(t.Context(), "http://srv+other/"); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after close: got %v", err)
		}
		if n := s.count("tocsin_dns_lookup_errors_total"); n != 0 {
			t.Errorf("%d failed look-ups counted", n)
		}
	})
}
