package app

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// closers ends the parts of the daemon in the reverse of the order in which they
// were built.
type closers []closer

type closer struct {
	name    string
	timeout time.Duration // 0 is as long as it takes
	close   func(context.Context) error
}

// add has close called, with at most timeout to spend, when the rest that was
// added later has been closed.
func (c *closers) add(name string, timeout time.Duration, close func(context.Context) error) {
	*c = append(*c, closer{name, timeout, close})
}

// ErrLeftUndone is wrapped by the error of a Run that did its work but could not
// finish what it had accepted before the end.
var ErrLeftUndone = errors.New("left undone")

// close closes everything and joins the errors.
func (c *closers) close() error {
	var errs []error
	for i := len(*c) - 1; i >= 0; i-- {
		if err := (*c)[i].run(); err != nil {
			errs = append(errs, fmt.Errorf("%s %w: %w", (*c)[i].name, ErrLeftUndone, err))
		}
	}
	*c = nil
	return errors.Join(errs...)
}

func (c *closer) run() error {
	ctx := context.Background()
	if c.timeout > 0 {
		limited, cancel := context.WithTimeout(ctx, c.timeout)
		defer cancel()
		ctx = limited
	}
	return c.close(ctx)
}
