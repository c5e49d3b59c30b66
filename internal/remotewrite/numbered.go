package remotewrite

import (
	"context"
	"fmt"

	"tocsin/rules"
)

// What follows is for whoever keeps samples until they are settled, and appends
// them under numbers of its own. Such a caller uses Put alone, and one at a time.

// Put is Append for a batch with a number, which must be greater than those
// before and than 0. A batch without rows is settled as soon as all before it are.
func (c *Client) Put(ctx context.Context, number uint64, batch []rules.Series) error {
	if last := c.queue.last(); number <= last {
		return fmt.Errorf("append batch %d: its number is not beyond %d", number, last)
	}
	if len(batch) > 0 {
		return c.append(ctx, number, batch)
	}
	if err := c.queue.pass(number); err != nil {
		return fmt.Errorf("append batch %d: %w", number, err)
	}
	return nil
}

// AwaitRoom returns nil when a batch of n samples would be let in at once; for one
// that is larger than the whole queue that is when the queue is empty. It waits
// until then, however long storage fails. The error wraps ErrClosed after Close,
// and is that of ctx if that ends first.
func (c *Client) AwaitRoom(ctx context.Context, n int) error {
	if err := c.queue.awaitRoom(ctx, n); err != nil {
		return fmt.Errorf("wait for room for %d samples: %w", n, err)
	}
	return nil
}

// SettledThrough returns a number such that no batch up to it has samples that are
// to be written still: storage has accepted or finally refused them all. It never
// grows smaller, and after Close it does not change any more.
func (c *Client) SettledThrough() uint64 { return c.queue.settled() }

// Failing reports whether samples wait and every attempt to write some has failed
// of late: that they will be settled soon is not to be expected.
func (c *Client) Failing() bool { return c.queue.failing() }
