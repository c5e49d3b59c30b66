package httpx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	// fileAge is how old the content of a file may be when it is used. Reading
	// again beats comparing modification times, which are too coarse for a
	// file that is replaced twice in a moment.
	fileAge     = time.Second
	maxFileSize = 1 << 20 // bytes; credentials and bundles of certificates are far smaller
	// addressTimeout bounds how long a URL is waited for that stands in for a file.
	addressTimeout = 5 * time.Second
)

// file is a file, or what an http(s) URL answers, whose content follows the
// original. The zero value is not usable.
type file struct {
	path string
	read func(ctx context.Context, path string) (string, error) // readText

	turn   turn      // held by who may touch the fields below, while the original is read as well
	readAt time.Time // when what follows was had
	text   string
	err    error
}

// newFile returns nil when path is "".
func newFile(path string) *file {
	if path == "" {
		return nil
	}
	return &file{path: path, read: readText, turn: newTurn()}
}

// get returns the content without the white space at its end, at most fileAge
// old. An empty file is an error, as is one that cannot be read; what was read
// before is then not used any more. The error is ctx's if that ends first.
func (f *file) get(ctx context.Context) (string, error) {
	if f == nil {
		return "", nil
	}
	if err := f.turn.take(ctx); err != nil {
		return "", fmt.Errorf("wait until %s is read: %w", placeOf(f.path), err)
	}
	defer f.turn.give()
	if !f.readAt.IsZero() && time.Since(f.readAt) < fileAge {
		return f.text, f.err
	}
	text, err := f.read(ctx, f.path)
	if err != nil && ctx.Err() != nil {
		// That one request has ended says nothing of the original.
		return "", err
	}
	// The time is that of the outcome: those who waited for a server that does not
	// answer would else each wait for it anew.
	f.text, f.err, f.readAt = text, err, time.Now()
	return f.text, f.err
}

// readText returns the content of a file, or what a URL answers, without the white
// space at its end. It waits for a server as long as ctx and addressTimeout allow.
func readText(ctx context.Context, path string) (string, error) {
	if isAddress(path) {
		return readAddress(ctx, path)
	}
	data, err := ReadFile(path)
	if err != nil {
		return "", err
	}
	text := strings.TrimRight(string(data), " \t\r\n")
	if text == "" {
		return "", &os.PathError{Op: "read", Path: path, Err: errors.New("file is empty")}
	}
	return text, nil
}

// ReadFile returns the content of a file with credentials or certificates. One of
// more than a mebibyte is an error.
func ReadFile(path string) ([]byte, error) { return readLimited(path, maxFileSize) }

// readLimited returns the content of a file, which is not to be larger than most
// bytes.
func readLimited(path string, most int) ([]byte, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, int64(most)+1))
	if err == nil && len(data) > most {
		err = fmt.Errorf("read %s: more than %d bytes", path, most)
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

// isAddress reports whether a file is named by an http(s) URL.
func isAddress(path string) bool {
	return strings.HasPrefix(path, "http://") || strings.HasPrefix(path, "https://")
}

// readAddress asks a server. Its errors do not show the URL.
func readAddress(ctx context.Context, address string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, addressTimeout)
	defer cancel()
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}
	data, err := getContent(ctx, address, transport, maxFileSize)
	if err != nil {
		return "", RedactError(err)
	}
	text := strings.TrimRight(string(data), " \t\r\n")
	if text == "" {
		return "", errors.New("its URL answered nothing")
	}
	return text, nil
}
