package discovery

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"tocsin/internal/httpx"
)

// consulAsker asks a Consul server questions that it answers when there is
// something new.
type consulAsker struct {
	base   string
	client *http.Client
	pause  time.Duration // between an answer and the next question
	wait   time.Duration // how long Consul may wait for something new
	tally  *tally
}

// shown returns the address of the server for people.
func (a *consulAsker) shown() string { return httpx.RedactURL(a.base) }

// watch asks for path until ctx ends, and has take take each answer that may be
// new, or what went wrong. The error of take is that of an answer which cannot be
// used.
func (a *consulAsker) watch(ctx context.Context, path string, q url.Values, take func(body []byte, err error) error) {
	var index uint64
	retry := pause{most: a.pause}
	for {
		body, next, err := a.ask(ctx, path, q, index)
		if ctx.Err() != nil {
			return
		}
		wait := a.pause
		if err != nil || next != index || index == 0 {
			err = take(body, err)
		}
		a.tally.count(err)
		if err != nil {
			// What there is now is to be told at once when Consul is back.
			next, wait = 0, retry.next()
		} else {
			retry.reset()
		}
		index = next
		if !sleep(ctx, wait) {
			return
		}
	}
}

// ask returns an answer and its index, by which Consul knows next time what is new.
func (a *consulAsker) ask(ctx context.Context, path string, q url.Values, index uint64) ([]byte, uint64, error) {
	timeout := askTimeout
	args := maps.Clone(q)
	if index > 0 {
		args.Set("index", strconv.FormatUint(index, 10))
		args.Set("wait", fmt.Sprintf("%dms", a.wait.Milliseconds()))
		timeout += a.wait + a.wait/16 // Consul adds as much, so that not all ask at once
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	body, header, err := get(ctx, a.client, a.base+path+"?"+args.Encode(), nil)
	if err != nil {
		return nil, 0, err
	}
	return body, nextIndex(index, header.Get("X-Consul-Index")), nil
}

// nextIndex returns the index to ask with after an answer with the given one. An
// index that went back is that of a server which began anew; one that makes no sense
// is none.
func nextIndex(index uint64, header string) uint64 {
	next, err := strconv.ParseUint(header, 10, 64)
	if err != nil || next < index {
		return 0
	}
	return next
}
