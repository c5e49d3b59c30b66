package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"unicode"

	"tocsin/internal/httpx"
)

const maxSecretSize = 64 << 10 // bytes

// readSecret returns the secret that source names as file:///path or as an
// http(s) URL, without the white space at its end, or source itself if it names
// no place. Its errors show no URL.
func readSecret(ctx context.Context, source string, transport http.RoundTripper) (httpx.Secret, error) {
	var content []byte
	var err error
	path, isFile := strings.CutPrefix(source, "file://")
	switch {
	case isFile:
		content, err = os.ReadFile(path)
	case strings.HasPrefix(source, "http://"), strings.HasPrefix(source, "https://"):
		content, err = getSecret(ctx, source, transport)
	default:
		return httpx.Secret(source), nil
	}
	if err != nil {
		return "", err
	}
	secret := strings.TrimRightFunc(string(content), unicode.IsSpace)
	if secret == "" {
		return "", errors.New("there is nothing in it")
	}
	return httpx.Secret(secret), nil
}

func getSecret(ctx context.Context, address string, transport http.RoundTripper) ([]byte, error) {
	u, err := httpx.ParseURL(address)
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
	content, err := io.ReadAll(io.LimitReader(resp.Body, maxSecretSize+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer of its URL: %w", err)
	}
	if len(content) > maxSecretSize {
		return nil, fmt.Errorf("its URL answered more than %d bytes", maxSecretSize)
	}
	return content, nil
}
