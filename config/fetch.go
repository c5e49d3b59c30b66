package config

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// bounded returns ctx with what is left of it once Options.Timeout has passed.
func (l *Loader) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if l.opts.Timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, l.opts.Timeout)
}

// overdue returns err, or that Options.Timeout is why waiting ended, if it is.
func (l *Loader) overdue(ctx, waiting context.Context, err error) error {
	if err != nil && ctx.Err() == nil && waiting.Err() != nil {
		return fmt.Errorf("no complete answer within %s", l.opts.Timeout)
	}
	return err
}

// fetch reads a URL unless it is of the version known.
func (l *Loader) fetch(ctx context.Context, u *url.URL, known version) ([]byte, version, error) {
	waiting, cancel := l.bounded(ctx)
	defer cancel()
	data, v, err := l.get(waiting, u, known)
	return data, v, l.overdue(ctx, waiting, err)
}

func (l *Loader) get(ctx context.Context, u *url.URL, known version) ([]byte, version, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, version{}, errors.New("not a valid URL")
	}
	// Asked for by name, because only some transports unpack by themselves.
	req.Header.Set("Accept-Encoding", "gzip")
	asks := known.ask(req.Header)
	client := &http.Client{Transport: l.opts.Transport}
	resp, err := client.Do(req)
	if err != nil {
		// A url.Error shows the URL, of which the query may be a secret.
		var urlErr *url.Error
		if errors.As(err, &urlErr) {
			err = urlErr.Err
		}
		return nil, version{}, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotModified && asks:
		return nil, known, ErrUnchanged
	case resp.StatusCode != http.StatusOK:
		return nil, version{}, fmt.Errorf("the server answered %s", resp.Status)
	}
	data, err := l.body(resp)
	return data, versionOf(resp.Header), err
}

// body reads the body of an answer, unpacked.
func (l *Loader) body(resp *http.Response) ([]byte, error) {
	if resp.Header.Get("Content-Encoding") != "gzip" {
		return readLimited(resp.Body, max(resp.ContentLength, 0), l.opts.MaxSize)
	}
	unpacked, err := gzip.NewReader(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("unpack the answer: %w", err)
	}
	return readLimited(unpacked, 0, l.opts.MaxSize)
}

// ask makes a request conditional on the content being of another version; false
// if it is not known well enough.
func (v version) ask(h http.Header) bool {
	switch {
	case v.tag != "":
		h.Set("If-None-Match", v.tag)
	case v.modified != "":
		h.Set("If-Modified-Since", v.modified)
	default:
		return false
	}
	return true
}

// settled is how old a content without a tag must have been when it was read for
// its time to stand for it: the time is in whole seconds, in which there may have
// been two contents.
const settled = 2 * time.Second

func versionOf(h http.Header) version {
	if tag := h.Get("ETag"); tag != "" {
		return version{tag: tag}
	}
	modified, err := http.ParseTime(h.Get("Last-Modified"))
	if err != nil {
		return version{}
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil || now.Sub(modified) < settled {
		return version{}
	}
	return version{modified: h.Get("Last-Modified")}
}
