package config

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"syscall"
)

// read returns the content of src, at most Options.MaxSize bytes. Its errors do
// not contain URLs.
func (l *Loader) read(ctx context.Context, src source) ([]byte, error) {
	if src.url != nil {
		return l.fetch(ctx, src.url)
	}
	info, err := os.Stat(src.path)
	if err != nil {
		return nil, err
	}
	switch {
	case info.IsDir():
		return nil, &os.PathError{Op: "read", Path: src.path, Err: syscall.EISDIR}
	case !info.Mode().IsRegular():
		// To open a named pipe is to wait for somebody who writes to it.
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(src.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readLimited(f, info.Size(), l.opts.MaxSize)
}

// readLimited reads all of r, which is expected to be of the given size if that
// is not 0.
func readLimited(r io.Reader, size, most int64) ([]byte, error) {
	tooLarge := fmt.Errorf("larger than the %d bytes allowed", most)
	if most > 0 {
		if size > most {
			return nil, tooLarge
		}
		r = io.LimitReader(r, most+1)
	}
	// One byte more than expected lets the end be seen without growing. A server
	// may announce any size.
	const trusted = 1 << 20
	data, err := readAll(r, make([]byte, 0, min(size, trusted)+1))
	if err != nil {
		return nil, err
	}
	if most > 0 && int64(len(data)) > most {
		return nil, tooLarge
	}
	return data, nil
}

func readAll(r io.Reader, buf []byte) ([]byte, error) {
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if errors.Is(err, io.EOF) {
			return buf, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// fetch reads a URL.
func (l *Loader) fetch(ctx context.Context, u *url.URL) ([]byte, error) {
	waiting := ctx
	if l.opts.Timeout > 0 {
		var cancel context.CancelFunc
		waiting, cancel = context.WithTimeout(ctx, l.opts.Timeout)
		defer cancel()
	}
	data, err := l.get(waiting, u)
	if err != nil && ctx.Err() == nil && waiting.Err() != nil {
		return nil, fmt.Errorf("no complete answer within %s", l.opts.Timeout)
	}
	return data, err
}

func (l *Loader) get(ctx context.Context, u *url.URL) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, errors.New("not a valid URL")
	}
	// Asked for by name, because only some transports unpack by themselves.
	req.Header.Set("Accept-Encoding", "gzip")
	client := &http.Client{Transport: l.opts.Transport}
	resp, err := client.Do(req)
	if err != nil {
		// A url.Error shows the URL, of which the query may be a secret.
		var urlErr *url.Error
		if errors.As(err, &urlErr) {
			err = urlErr.Err
		}
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answered %s", resp.Status)
	}
	if resp.Header.Get("Content-Encoding") != "gzip" {
		return readLimited(resp.Body, max(resp.ContentLength, 0), l.opts.MaxSize)
	}
	unpacked, err := gzip.NewReader(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("unpack the answer: %w", err)
	}
	return readLimited(unpacked, 0, l.opts.MaxSize)
}
