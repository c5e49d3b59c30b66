package remotewrite

import (
	"context"
	"time"
)

// sender writes the blocks of one shard, one after the other.
type sender struct {
	client  *Client
	shard   int
	payload *payload
	retries int  // since the last block that was settled
	failing bool // as client.health was told
}

func (c *Client) newSender(shard int) *sender {
	return &sender{client: c, shard: shard, payload: &payload{}}
}

// run returns when the queue is closed and the shard empty.
func (s *sender) run(ctx context.Context) {
	for {
		block, ok := s.client.queue.next(s.shard)
		if !ok {
			return
		}
		s.deliver(ctx, block)
	}
}

// piece is the rows of a block that go into one request.
type piece struct {
	rows     int
	protocol protocol
	began    time.Time // of the first attempt
}

// deliver sends block, in more than one request if it is too long for one, until
// it is settled or given up.
func (s *sender) deliver(ctx context.Context, block []part) {
	for len(block) > 0 {
		p := piece{protocol: protocol(s.client.protocol.Load()), began: time.Now()}
		p.rows = s.encode(block, s.client.options.MaxBatchSize, p.protocol)
		for {
			a := s.attempt(ctx, block, &p)
			if a.verdict != retriable {
				block = s.settle(&p, &a)
				break
			}
			if !s.pause(ctx, &a) {
				return
			}
		}
	}
}

// encode makes the next payload of the first rows of block.
func (s *sender) encode(block []part, limit int, p protocol) (rows int) {
	s.payload = s.payload.reusable()
	s.payload.data, rows = s.client.encoder.encode(s.payload.data, block, limit, p)
	return rows
}

// attempt sends p once, and once more as snappy if storage may not understand
// zstd. Only a storage that takes what it refused before is known not to: one
// that refuses both has bad samples, not the wrong protocol.
func (s *sender) attempt(ctx context.Context, block []part, p *piece) answer {
	c := s.client
	a := c.endpoint.write(ctx, s.payload, p.protocol)
	if p.protocol == zstdProtocol && a.disputesProtocol() {
		p.protocol = snappyProtocol
		s.encode(block, p.rows, p.protocol)
		a = c.endpoint.write(ctx, s.payload, p.protocol)
	}
	if a.verdict == accepted && p.protocol == snappyProtocol &&
		c.protocol.CompareAndSwap(int32(zstdProtocol), int32(snappyProtocol)) {
		c.metrics.sending.fallbacks.Inc()
		c.health.fellBack()
	}
	return a
}

// settle ends p, which storage has taken or does not want, and returns the rest
// of the block.
func (s *sender) settle(p *piece, a *answer) []part {
	c, m := s.client, &s.client.metrics.sending
	s.retries = 0
	if s.failing {
		s.failing = false
		c.health.recovered()
	}
	took := time.Since(p.began).Seconds()
	m.seconds.Add(took)
	m.duration.Update(took)
	if a.verdict == accepted {
		m.rows.Add(p.rows)
		m.blockRows.Update(float64(p.rows))
		m.bytes.Add(len(s.payload.data))
		m.blockBytes.Update(float64(len(s.payload.data)))
		c.health.accepted()
	} else {
		s.refuse(p, a)
	}
	return c.queue.settle(s.shard, p.rows)
}

// refuse drops a piece that storage does not want, all of it.
func (s *sender) refuse(p *piece, a *answer) {
	c := s.client
	c.metrics.errors.Inc()
	c.metrics.sending.refusals.Inc()
	c.metrics.drop(refused, p.rows)
	c.health.refused(p.rows, a.err)
}

// pause waits before the next attempt. It returns false if there is to be none:
// the block was given up meanwhile or the client is closed for good.
func (s *sender) pause(ctx context.Context, a *answer) bool {
	c := s.client
	s.retries++
	if !s.failing && ctx.Err() == nil {
		s.failing = true
		c.health.failed(a.err)
	}
	wait := a.retryAfter
	if wait == 0 {
		wait = backoff(c.options.RetryMinInterval, s.retries)
	}
	c.queue.failed(s.shard)
	c.queue.rest(ctx, wait)
	if !c.queue.resume(s.shard) {
		return false
	}
	c.metrics.sending.retries.Inc()
	return true
}
