package remotewrite

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"

	"tocsin/rules"
)

// Set is the storages that each get all samples, through a Client of its own: one
// that fails or is slow neither delays the others nor takes their room.
type Set struct {
	clients []*Client
}

var _ rules.Appender = (*Set)(nil)

// NewSet returns a Set of clients that write to targets, of which there is at
// least one, as o says; the Target of o is not used. Nothing is sent before Start.
// If there are several, their own metrics and log lines name the target by its
// place, as in "1:secret-url", or by its address if o.ShowURL is set.
func NewSet(o Options, targets []Target) (*Set, error) {
	s := &Set{clients: make([]*Client, len(targets))}
	log := o.Log
	var errs []error
	for i, t := range targets {
		o.Target = t
		if len(targets) > 1 {
			o.name = t.name(i, o.ShowURL)
			o.Log = log.With("target", o.name)
		}
		c, err := New(o)
		if err != nil && len(targets) > 1 {
			err = fmt.Errorf("target %d: %w", i+1, err)
		}
		errs = append(errs, err)
		s.clients[i] = c
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return s, nil
}

// name is how metrics and log lines tell the target, which is the i-th, from the others.
func (t *Target) name(i int, show bool) string {
	if show {
		if u, err := url.Parse(t.URL); err == nil {
			return fmt.Sprintf("%d:%s", i+1, u.Redacted())
		}
	}
	return fmt.Sprintf("%d:secret-url", i+1)
}

// Clients returns the clients in the order of their targets.
func (s *Set) Clients() []*Client { return slices.Clone(s.clients) }

// Keys returns a name for each client by which it is known after a restart, too,
// whatever its place and password. It is made of a digest of the address; of those
// with the same address the later ones are numbered.
func (s *Set) Keys() []string {
	keys := make([]string, len(s.clients))
	seen := make(map[string]int, len(s.clients))
	for i, c := range s.clients {
		digest := fmt.Sprintf("%x", sha256.Sum256([]byte(c.endpoint.identity)))[:16]
		seen[digest]++
		keys[i] = digest
		if n := seen[digest]; n > 1 {
			keys[i] = fmt.Sprintf("%s-%d", digest, n)
		}
	}
	return keys
}

// Borrow is Options.Borrowed for whoever needs the keys to find out whether the
// samples are kept. It is called before Start and Append, if at all.
func (s *Set) Borrow() {
	for _, c := range s.clients {
		c.options.Borrowed, c.queue.limits.borrowed = true, true
	}
}

// Start starts the senders of all clients. It is called once.
func (s *Set) Start() {
	for _, c := range s.clients {
		c.Start()
	}
}

// Append queues the whole batch for every target that has room for it. It waits
// as Client.Append does, for all of them at once. An error means that no target
// has taken the batch. What single targets do not take they count as dropped.
func (s *Set) Append(ctx context.Context, batch []rules.Series) error {
	if len(s.clients) == 1 || len(batch) == 0 {
		return s.clients[0].Append(ctx, batch)
	}
	errs := s.all(func(c *Client) error { return c.named(c.Append(ctx, batch)) })
	if !slices.Contains(errs, nil) {
		return errors.Join(errs...)
	}
	for i, c := range s.clients {
		// After Close nobody is told: what is dropped then is in the error of Close.
		if errs[i] != nil && !errors.Is(errs[i], ErrClosed) {
			c.health.turnedAway(len(batch), errs[i])
		}
	}
	return nil
}

// Flush returns when all targets have settled what was appended before the call,
// but for those that fail; if all of them do, when the first has. It returns ctx's
// error if that comes first.
func (s *Set) Flush(ctx context.Context) error {
	if len(s.clients) == 1 {
		return s.clients[0].Flush(ctx)
	}
	errs := s.all(func(c *Client) error { return c.queue.flush(ctx, true) })
	settled := false
	for _, err := range errs {
		switch {
		case err == nil:
			settled = true
		case !errors.Is(err, errFailing):
			return err
		}
	}
	if settled {
		return nil
	}
	return s.flushAny(ctx)
}

// flushAny returns when the first target has settled what was appended.
func (s *Set) flushAny(ctx context.Context) error {
	first, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := s.all(func(c *Client) error {
		err := c.Flush(first)
		if err == nil {
			cancel()
		}
		return err
	})
	if slices.Contains(errs, nil) {
		return nil
	}
	return errs[0]
}

// Close closes all clients side by side, as Client.Close does, and joins their errors.
func (s *Set) Close(ctx context.Context) error {
	return errors.Join(s.all(func(c *Client) error { return c.named(c.Close(ctx)) })...)
}

// named returns err with the name of the target, if it is one of several.
func (c *Client) named(err error) error {
	if err == nil || c.options.name == "" {
		return err
	}
	return fmt.Errorf("%s: %w", c.options.name, err)
}

// all calls f with each client, side by side, and returns the errors in order.
func (s *Set) all(f func(*Client) error) []error {
	errs := make([]error, len(s.clients))
	var wg sync.WaitGroup
	for i, c := range s.clients[1:] {
		wg.Go(func() { errs[i+1] = f(c) })
	}
	errs[0] = f(s.clients[0])
	wg.Wait()
	return errs
}
