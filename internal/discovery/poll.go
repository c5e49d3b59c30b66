package discovery

import (
	"context"
	"time"
)

// retryFirst is the pause after a look-up that failed. It doubles from one failure
// to the next, up to the interval between look-ups.
const retryFirst = time.Second

// poll is a source that looks again and again.
type poll struct {
	every time.Duration // 0: once
	look  func(ctx context.Context) view
}

func (p *poll) run(ctx context.Context, report func(view)) {
	retry := pause{most: p.every}
	for {
		v := p.look(ctx)
		if ctx.Err() != nil {
			return
		}
		report(v)
		if p.every == 0 {
			return
		}
		wait := p.every
		if v.err != nil {
			wait = retry.next()
		} else {
			retry.reset()
		}
		if !sleep(ctx, wait) {
			return
		}
	}
}

// pause is how long to wait after one failure and the next.
type pause struct{ last, most time.Duration }

func (p *pause) next() time.Duration {
	p.last = min(max(2*p.last, retryFirst), p.most)
	return p.last
}

func (p *pause) reset() { p.last = 0 }

// sleep returns false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
