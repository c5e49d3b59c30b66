// Package remotewrite writes samples to storage by Prometheus remote write, in
// the dialect of VictoriaMetrics with a fallback to that of Prometheus.
//
// Append puts a batch into a queue in memory. The queue is divided by the hash
// of the labels among as many shards as there may be requests in flight. Each
// shard has one sender with at most one request under way, which it repeats
// until storage has taken or refused it; so the samples of a series arrive in
// the order in which they were appended, whatever is retried.
//
// Samples leave the queue unwritten in three ways only, each counted once: the
// storage refused them (4xx other than 429), the storage has been failing for
// longer than RetryMaxTime and newer samples need their room, or the time given
// to Close ran out. This differs from vmalert on purpose, which gives samples up
// after RetryMaxTime even if there is room for them. A batch that finds no room
// is rejected and counted as well.
//
// The Client owns its senders: Start starts them, Close ends and awaits them.
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
	// Fixed by New.
	options  Options
	queue    *queue
	endpoint *endpoint
	encoder  *encoder
	metrics  *clientMetrics
	health   *health

	protocol atomic.Int32 // the protocol that storage is known to take

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
		metrics:  newClientMetrics(o.Metrics),
		health:   &health{log: o.Log},
	}
	c.queue = newQueue(limits{
		shards: o.Concurrency, rows: o.MaxQueueSize, block: o.MaxBatchSize,
		interval: o.FlushInterval, patience: o.RetryMaxTime,
	}, c.dropped)
	c.metrics.concurrency.Set(float64(o.Concurrency))
	c.metrics.capacity.Set(float64(o.MaxQueueSize))
	return c, nil
}

// Start starts the senders. It is called once.
func (c *Client) Start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	watchQueue(c.options.Metrics, c.queue)
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
	c.metrics.total.Add(len(batch))
	queued, err := c.queue.put(ctx, batch)
	if err != nil {
		c.metrics.errors.Add(len(batch))
		if errors.Is(err, ErrClosed) {
			c.metrics.drop(closing, len(batch))
		} else {
			c.metrics.drop(queueFull, len(batch))
		}
		return fmt.Errorf("append %d samples: %w", len(batch), err)
	}
	c.metrics.queueSize.Update(float64(queued))
	return nil
}

// Flush returns when storage has accepted or finally refused everything that was
// appended before the call; the senders do not wait for company meanwhile. It
// returns ctx's error if that comes first.
func (c *Client) Flush(ctx context.Context) error { return c.queue.flush(ctx) }

// Close refuses new batches, then writes what is queued in requests of
// MaxBatchSize until ctx ends. What is left then is counted as dropped, and the
// error says how much that is. No sender is running when Close returns. Calling
// it again returns the same.
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
	c.queue.close()
	if c.cancel == nil {
		c.queue.abort()
		return c.unwritten(errors.New("no sender was started"))
	}
	defer unwatchQueue(c.options.Metrics)
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

// dropped takes note of rows that the queue lets go unwritten.
func (c *Client) dropped(why reason, rows int) {
	c.metrics.drop(why, rows)
	if why == givenUp {
		c.metrics.errors.Inc()
		c.health.gaveUp(rows)
	}
}
