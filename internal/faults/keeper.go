package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"tocsin/internal/e2e/servers"
	"tocsin/internal/faults/plan"
	"tocsin/internal/faults/verdict"
	"tocsin/internal/faults/witness"
)

const (
	// stopTimeout is how long the daemon may take to stop before it is killed.
	stopTimeout = 30 * time.Second
	// lookInterval is the time between two looks at memory and counters.
	lookInterval = 500 * time.Millisecond
)

// order is what is to happen to the daemon. The keeper closes done when the daemon
// has ended, or at once if it is not to end.
type order struct {
	kind plan.Kind
	down time.Duration // until it is started again; negative is never
	done chan struct{}
}

// keeper keeps the daemon running, ends it when ordered to and looks at it.
type keeper struct {
	command *daemonCommand
	client  *http.Client
	log     *slog.Logger
	orders  chan order

	// Owned by keep.
	life  *servers.Process // nil while none runs
	ready chan error       // of life

	mu sync.Mutex // guards the fields below
	presence
	seen     course // without counters
	counters witness.Counters
}

// presence is when the daemon was ready and when it was not.
type presence struct {
	up        bool
	first     time.Time // when it was first up
	downSince time.Time // if it is not up
	downs     []verdict.Window
}

func newKeeper(c *daemonCommand, client *http.Client, log *slog.Logger) *keeper {
	return &keeper{
		command: c, client: client, log: log, orders: make(chan order),
		presence: presence{downSince: time.Now()},
	}
}

// keep runs the daemon until it is ordered to end for good or ctx is done. The
// error is about the start of a process, not about what becomes of it.
func (k *keeper) keep(ctx context.Context) error {
	output, err := os.Create(filepath.Join(k.command.Dir, k.command.Name+".log"))
	if err != nil {
		return err
	}
	defer output.Close()
	k.command.Output = output
	for {
		if err := k.start(ctx); err != nil {
			return err
		}
		down := k.attend(ctx)
		if down < 0 || ctx.Err() != nil {
			return nil
		}
		if !sleep(ctx, down) {
			return nil
		}
	}
}

// start starts the daemon; ready will tell when it is.
func (k *keeper) start(ctx context.Context) error {
	life, err := k.command.Start()
	if err != nil {
		return err
	}
	k.mu.Lock()
	k.seen.lives++
	k.mu.Unlock()
	ready := make(chan error, 1)
	k.life, k.ready = life, ready
	go func() {
		ctx, cancel := context.WithTimeout(ctx, startTimeout)
		defer cancel()
		ready <- life.AwaitReady(ctx) // which ends with life
	}()
	return nil
}

// attend follows one life to its end and returns how long there is to be none;
// negative is for good.
func (k *keeper) attend(ctx context.Context) time.Duration {
	look := time.NewTicker(lookInterval)
	defer look.Stop()
	for {
		select {
		case err := <-k.ready:
			k.ready = nil
			if err == nil {
				k.noteReady()
			} else if k.lives() && ctx.Err() == nil {
				k.bury(time.Now())
				k.trouble("it was not ready within %s", startTimeout)
				return 0
			}
		case <-look.C:
			k.look(ctx)
		case <-k.life.Ended():
			k.bury(time.Now())
			k.trouble("it ended of itself: %s", k.life.State())
			return time.Second
		case <-ctx.Done():
			k.bury(time.Now())
			return -1
		case o := <-k.orders:
			if o.kind == plan.Reload {
				k.reload()
				close(o.done)
				continue
			}
			k.end(ctx, o.kind)
			close(o.done)
			return o.down
		}
	}
}

// lives reports whether the daemon has not ended.
func (k *keeper) lives() bool {
	select {
	case <-k.life.Ended():
		return false
	default:
		return true
	}
}

func (k *keeper) noteReady() {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	if k.first.IsZero() {
		k.first = now
	}
	k.downs = append(k.downs, verdict.Window{From: k.downSince, To: now})
	k.up = true
}

// reload has the daemon read its rules again. A daemon that is not ready reads
// them anyway.
func (k *keeper) reload() {
	if !k.isUp() {
		return
	}
	_ = k.life.Signal(syscall.SIGHUP) // fails only if it has ended, which attend sees next
}

// leftUndone is the exit status by which the daemon says that it could not finish,
// as when its disk is full. Whether something is lost by that shows in what arrives.
const leftUndone = 1

// end ends the daemon at once, or in good order.
func (k *keeper) end(ctx context.Context, kind plan.Kind) {
	since := time.Now()
	if kind == plan.Term && k.isUp() {
		k.look(ctx)
		_ = k.life.Signal(syscall.SIGTERM) // fails only if it has ended
		late := time.NewTimer(stopTimeout)
		defer late.Stop()
		select {
		case <-k.life.Ended():
		case <-late.C:
			k.trouble("it did not stop within %s", stopTimeout)
		case <-ctx.Done():
		}
		if k.life.State() != nil && k.life.State().ExitCode() > leftUndone {
			k.trouble("it stopped with %s", k.life.State())
		}
	}
	k.bury(since)
}

// bury makes sure that the life is over and notes that there is none since then.
func (k *keeper) bury(since time.Time) {
	k.life.Kill()
	if k.ready != nil {
		<-k.ready
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.counters.NextLife()
	if k.up {
		k.downSince, k.up = since, false
	}
}

func (k *keeper) isUp() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.up
}

func (k *keeper) trouble(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	k.log.Error("daemon misbehaves", "what", text)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen.troubles = append(k.seen.troubles, text)
}

// look notes memory and counters of the daemon.
func (k *keeper) look(ctx context.Context) {
	if !k.isUp() {
		return
	}
	bytes, err := witness.Memory(k.life.Pid())
	if err != nil {
		return // it has just ended
	}
	page, err := k.page(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen.memory = max(k.seen.memory, bytes)
	if err == nil {
		k.counters.Observe(page)
	}
}

func (k *keeper) page(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.command.url+"/metrics", nil)
	if err != nil {
		return "", err
	}
	resp, err := k.client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

// give hands an order over and waits until it is carried out.
func (k *keeper) give(ctx context.Context, kind plan.Kind, down time.Duration) error {
	o := order{kind: kind, down: down, done: make(chan struct{})}
	select {
	case k.orders <- o:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-o.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sleep returns true after d, or false when ctx is done.
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
