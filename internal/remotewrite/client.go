// Package remotewrite writes samples to one or more storages by Prometheus remote
// write.
//
// A Client owns what one storage is to get. Append puts a batch into a queue in
// memory. The queue is divided by the hash of the labels among as many shards as
// there may be requests in flight. Each shard has one sender with at most one
// request under way, which it repeats until storage has taken or refused it; so
// the samples of a series arrive in the order in which they were appended,
// whatever is retried.
//
// The protocol is found out by the answers of storage and kept from then on. First
// comes that of VictoriaMetrics, which is remote write 1.0 compressed with zstd and
// is what costs least; then remote write 1.0, which all others take but those few
// that insist on 2.0, which comes last. See protocol.alternative.
//
// A request that storage refuses for what is in it (4xx, but for those of
// verdictOf) is divided until the bad sample is alone, which is dropped; see
// search. Other answers mean that storage fails, and the request is repeated.
//
// Samples leave the queue unwritten in three ways only, each counted once: the
// storage refused them, the storage has been failing for longer than RetryMaxTime
// and newer samples need their room, or the time given to Close ran out. This
// differs from vmalert on purpose, which gives samples up after RetryMaxTime even
// if there is room for them. A batch that finds no room is rejected and counted as
// well. With Options.Borrowed only the first of these is left: the samples are kept
// elsewhere, and SettledThrough tells which need not be any more.
//
// A Client owns its senders: Start starts them, Close ends and awaits them. A Set
// is clients that each get everything.
package remotewrite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"tocsin/rules"
)

// ErrClosed is wrapped by the error of Append after Close.
var ErrClosed = errors.New("remote write is closed")

// Client is a remote-write client. It may be used from many goroutines.
type Client struct {
	// Fixed before Start: by New, and by Set.Borrow.
	options  Options
	queue    *queue
	endpoint *endpoint
	encoder  *encoder
	metrics  *clientMetrics
	health   *health

	protocol atomic.Int32 // the protocol that storage is known to take
	trust    trust

	// Owned by Start and Close.
	mu      sync.Mutex
	cancel  context.CancelFunc // nil before Start
	senders sync.WaitGroup
	closed  bool
	lost    error // what Close returned
}

var _ rules.Appender = (*Client)(nil)

// New returns a client that accepts samples and sends none before Start. It
// returns an error if the address is unusable.
func New(o Options) (*Client, error) {
	o = o.withDefaults()
	u, name, err := o.address()
	if err != nil {
		return nil, err
	}
	enc, err := newEncoder()
	if err != nil {
		return nil, err
	}
	c := &Client{
		options:  o,
		endpoint: newEndpoint(u, name, o.Transport, o.SendTimeout),
		encoder:  enc,
		metrics:  newClientMetrics(o.Metrics, newTargetLabel(o.name)),
		health:   &health{log: o.Log},
	}
	c.queue = newQueue(limits{
		shards: o.Concurrency, rows: o.MaxQueueSize, block: o.MaxBatchSize,
		interval: o.FlushInterval, patience: o.RetryMaxTime, borrowed: o.Borrowed,
	}, c.dropped)
	c.metrics.concurrency.Add(float64(o.Concurrency))
	c.metrics.capacity.Add(float64(o.MaxQueueSize))
	return c, nil
}

// Start starts the senders. It is called once.
func (c *Client) Start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	c.metrics.watchQueue(c.options.Metrics, c.queue)
	for i := range c.options.Concurrency {
		c.senders.Go(func() { c.newSender(i).run(ctx) })
	}
}

// Append queues the whole batch or returns an error and keeps none of it. It
// waits for room as long as ctx allows while storage takes samples. The error
// wraps rules.ErrQueueFull when there is no room, and ErrClosed after Close. A
// batch larger than the whole queue is let in when the queue is empty.
func (c *Client) Append(ctx context.Context, batch []rules.Series) error {
	if len(batch) == 0 {
		return nil
	}
	return c.append(ctx, 0, batch)
}

func (c *Client) append(ctx context.Context, seq uint64, batch []rules.Series) error {
	queued, err := c.queue.put(ctx, seq, batch)
	if err == nil || !c.options.Borrowed {
		c.metrics.total.Add(len(batch))
	}
	if err != nil {
		c.reject(len(batch), err)
		return fmt.Errorf("append %d samples: %w", len(batch), err)
	}
	c.metrics.queueSize.Update(float64(queued))
	return nil
}

// reject counts rows that were not let in.
func (c *Client) reject(rows int, err error) {
	switch {
	case c.options.Borrowed: // they are where they came from
	case errors.Is(err, ErrClosed):
		c.metrics.errors.Add(rows)
		c.metrics.drop(closing, rows)
	default:
		c.metrics.errors.Add(rows)
		c.metrics.drop(queueFull, rows)
	}
}

// Flush returns when storage has accepted or finally refused everything that was
// appended before the call; the senders do not wait for company meanwhile. It
// returns ctx's error if that comes first.
func (c *Client) Flush(ctx context.Context) error { return c.queue.flush(ctx, false) }

// Close refuses new batches, then writes what is queued in requests of
// MaxBatchSize until ctx ends. What is left then is counted as dropped, and the
// error says how much that is. Borrowed samples are let go instead, and those of a
// shard already when an attempt to write them fails. No sender is running when
// Close returns. Calling it again returns the same.
func (c *Client) Close(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		c.lost = c.drain(ctx)
	}
	return c.lost
}

func (c *Client) drain(ctx context.Context) error {
	defer c.queue.end()
	c.queue.close()
	if c.cancel == nil {
		c.queue.abort()
		return c.unwritten(errors.New("no sender was started"))
	}
	defer c.metrics.unwatchQueue(c.options.Metrics)
	defer c.cancel()
	drained := make(chan struct{})
	go func() {
		c.senders.Wait()
		close(drained)
	}()
	select {
	case <-drained:
	case <-ctx.Done():
		c.queue.abort()
		c.cancel()
		<-drained
	}
	return c.unwritten(ctx.Err())
}

// unwritten returns an error if the closed queue had to let go of rows.
func (c *Client) unwritten(cause error) error {
	lost := c.queue.lostRows()
	if lost == 0 {
		return nil
	}
	return fmt.Errorf("%d samples are not written: %w", lost, cause)
}

// adopt makes p the protocol of later requests if usual still is.
func (c *Client) adopt(usual, p protocol) {
	if p != usual && c.protocol.CompareAndSwap(int32(usual), int32(p)) {
		c.metrics.sending.fallbacks.Inc()
		c.health.fellBack(p)
	}
}

// dropped takes note of rows that the queue lets go unwritten.
func (c *Client) dropped(why reason, rows int) {
	c.metrics.drop(why, rows)
	if why == givenUp {
		c.metrics.errors.Inc()
		c.health.gaveUp(rows)
	}
}
