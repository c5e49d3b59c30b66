package remotewrite

import (
	"context"
	"net/http"
	"time"

	"tocsin/rules"
)

// sender writes the blocks of one shard, one after the other.
type sender struct {
	client  *Client
	shard   int
	payload []byte // of the request that was made last
	effort  int    // for finding what storage refuses in the next block
	retries int    // since the last piece that was settled
	failing bool   // as client.health was told
}

func (c *Client) newSender(shard int) *sender {
	return &sender{client: c, shard: shard, effort: maxEffort}
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
	usual    protocol // of the client when p was begun
	protocol protocol
	sure     bool      // storage understands usual, as a piece of the block was accepted in it
	began    time.Time // of the first attempt
}

// deliver sends block, in more than one request if it is too long for one or
// storage refuses some of it, until it is settled or given up.
func (s *sender) deliver(ctx context.Context, block []part) {
	look := search{limit: s.client.options.MaxBatchSize, effort: s.effort, began: time.Now()}
	defer func() { s.effort = look.nextEffort() }()
	for len(block) > 0 {
		usual := protocol(s.client.protocol.Load())
		p := piece{usual: usual, protocol: usual, sure: look.found > 0, began: time.Now()}
		p.rows = s.encode(block, look.next(), p.protocol)
		a, ok := s.write(ctx, block, &p)
		if !ok {
			return
		}
		if look.refuses(&a) && s.doubts(ctx, &look, &p) {
			if !s.pause(ctx, &a) {
				return
			}
			look.restart()
			continue
		}
		block = s.conclude(block, &look, &p, &a)
	}
}

// encode makes the next payload of the first rows of block.
func (s *sender) encode(block []part, limit int, p protocol) (rows int) {
	s.payload, rows = s.client.encoder.encode(s.payload, block, limit, p)
	return rows
}

// write sends p until it is accepted or unwanted. It returns false if that is no
// longer wanted: the block was given up meanwhile or the client closed.
func (s *sender) write(ctx context.Context, block []part, p *piece) (answer, bool) {
	for {
		a := s.attempt(ctx, block, p)
		if a.verdict != retriable {
			s.recover()
			return a, true
		}
		if !s.pause(ctx, &a) {
			return a, false
		}
	}
}

// attempt sends p once, and once more in each further protocol as long as storage
// may not have understood it. Only storage that takes what it refused before is
// known to want another protocol: one that refuses both has bad samples.
func (s *sender) attempt(ctx context.Context, block []part, p *piece) answer {
	tried := 0
	for {
		a := s.client.endpoint.write(ctx, s.payload, p.protocol)
		if a.verdict == accepted {
			s.client.adopt(p.usual, p.protocol)
			return a
		}
		tried |= 1 << p.protocol
		next, ok := p.protocol.alternative(a.status)
		if !ok || tried&(1<<next) != 0 || a.verdict == unwanted && p.sure {
			if a.status == http.StatusUnsupportedMediaType {
				s.change(block, p, p.usual) // none is understood at present
			}
			return a
		}
		s.change(block, p, next)
	}
}

// change makes protocol that of p.
func (s *sender) change(block []part, p *piece, protocol protocol) {
	if p.protocol != protocol {
		p.protocol = protocol
		p.rows = s.encode(block, p.rows, protocol)
	}
}

// conclude ends the attempt to write p and returns the rest of the block.
func (s *sender) conclude(block []part, look *search, p *piece, a *answer) []part {
	c, m := s.client, &s.client.metrics.sending
	took := time.Since(p.began).Seconds()
	m.seconds.Add(took)
	m.duration.Update(took)
	if a.verdict == unwanted {
		m.refusals.Inc()
	}
	switch {
	case a.verdict == accepted && (a.written < 0 || a.written >= p.rows):
		s.account(p.rows)
		c.health.accepted()
		look.accepted(p.rows)
	case a.verdict == accepted || a.written > 0:
		// Remote write 2.0: storage has sorted out by itself what it refuses.
		taken := min(a.written, p.rows)
		s.account(taken)
		look.accepted(p.rows)
		s.refuse(refused, p.rows-taken, nil, a.partly(p.rows))
	case !look.refused(p.rows):
		m.bisections.Inc()
		return block
	case p.rows == 1:
		s.refuse(refused, 1, block[0].row(0), a.err)
	default:
		s.refuse(refusedTogether, p.rows, nil, a.err)
	}
	return c.queue.settle(s.shard, p.rows)
}

// doubts reports whether p, which was refused and would be dropped now, is to wait
// instead: storage takes nothing at all, and the samples are kept as long as need
// be.
func (s *sender) doubts(ctx context.Context, look *search, p *piece) bool {
	c := s.client
	if !c.options.Borrowed || !look.gone(p.rows) {
		return false
	}
	return !c.trust.confirmedSince(look.began) && !s.probe(ctx) && !c.trust.exhausted(time.Now())
}

// probe reports whether storage takes a request in which there is nothing to
// refuse.
func (s *sender) probe(ctx context.Context) bool {
	c := s.client
	empty, _ := c.encoder.encode(nil, nil, 0, prometheus1)
	c.metrics.sending.probes.Inc()
	a := c.endpoint.write(ctx, empty, prometheus1)
	if a.verdict != accepted && a.status != http.StatusUnsupportedMediaType {
		return false
	}
	c.trust.confirm(time.Now())
	return true
}

// account counts rows as written.
func (s *sender) account(rows int) {
	s.client.trust.confirm(time.Now())
	m := &s.client.metrics.sending
	m.rows.Add(rows)
	m.blockRows.Update(float64(rows))
	m.bytes.Add(len(s.payload))
	m.blockBytes.Update(float64(len(s.payload)))
}

// refuse drops rows that storage does not want; which is only known of a single one.
func (s *sender) refuse(why reason, rows int, which *rules.Series, err error) {
	if rows == 0 {
		return
	}
	s.client.metrics.errors.Inc()
	s.client.metrics.drop(why, rows)
	s.client.health.refused(rows, which, err)
}

// recover is called when storage has answered.
func (s *sender) recover() {
	s.retries = 0
	if s.failing {
		s.failing = false
		s.client.health.recovered()
	}
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
	if !c.queue.failed(s.shard) {
		return false
	}
	c.queue.rest(ctx, wait)
	if !c.queue.resume(s.shard) {
		return false
	}
	c.metrics.sending.retries.Inc()
	return true
}
