package httpx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
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

	mu     sync.Mutex // guards the fields below
	readAt time.Time
	text   string
	err    error
}

// newFile returns nil when path is "".
func newFile(path string) *file {
	if path == "" {
		return nil
	}
	return &file{path: path}
}

// get returns the content without the white space at its end, at most fileAge
// old. An empty file is an error, as is one that cannot be read; what was read
// before is then not used any more.
func (f *file) get() (string, error) {
	if f == nil {
		return "", nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if f.readAt.IsZero() || now.Sub(f.readAt) >= fileAge {
		f.text, f.err = readText(f.path)
		f.readAt = now
	}
	return f.text, f.err
}

func readText(path string) (string, error) {
	if isAddress(path) {
		return readAddress(path)
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
func ReadFile(path string) ([]byte, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, maxFileSize+1))
	if err == nil && len(data) > maxFileSize {
		err = fmt.Errorf("read %s: more than %d bytes", path, maxFileSize)
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
func readAddress(address string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), addressTimeout)
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
