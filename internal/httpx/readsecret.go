package httpx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode"
)

// maxSecretSize is how many bytes a secret may have in a file or at a URL.
const maxSecretSize = 64 << 10

// ReadSecret returns the secret that source names as file:///path or as an
// http(s) URL, without the white space at its end, or source itself if it names
// no place. An empty secret there is an error: as a password it would turn a
// protection off without a word. Errors show no URL.
func ReadSecret(ctx context.Context, source string, transport http.RoundTripper) (Secret, error) {
	var content []byte
	var err error
	path, isFile := strings.CutPrefix(source, "file://")
	switch {
	case isFile:
		content, err = readLimited(path, maxSecretSize)
	case strings.HasPrefix(source, "http://"), strings.HasPrefix(source, "https://"):
		content, err = getContent(ctx, source, transport, maxSecretSize)
	default:
		return Secret(source), nil
	}
	if err != nil {
		return "", err
	}
	secret := strings.TrimRightFunc(string(content), unicode.IsSpace)
	if secret == "" {
		return "", errors.New("there is nothing in it")
	}
	return Secret(secret), nil
}

// getContent returns what a URL answers, at most so many bytes.
func getContent(ctx context.Context, address string, transport http.RoundTripper, most int) ([]byte, error) {
	u, err := ParseURL(address)
	if err != nil {
		return nil, err
	}
	req := (&http.Request{Method: http.MethodGet, URL: u, Header: http.Header{}}).WithContext(ctx)
	if u.User != nil {
		password, _ := u.User.Password()
		req.SetBasicAuth(u.User.Username(), password)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("ask its URL: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("its URL answered %d", resp.StatusCode)
	}
	content, err := io.ReadAll(io.LimitReader(resp.Body, int64(most)+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer of its URL: %w", err)
	}
	if len(content) > most {
		return nil, fmt.Errorf("its URL answered more than %d bytes", most)
	}
	return content, nil
}
