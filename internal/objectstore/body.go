package objectstore

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

const (
	// maxListPage is the most bytes of a page of a listing: a thousand objects with
	// keys of a thousand bytes each come to less.
	maxListPage = 16 << 20
	// maxErrorBody is the most bytes that are read to learn why.
	maxErrorBody = 64 << 10
	// maxObjects is the most objects of a listing. More of them are no rule files.
	maxObjects = 100_000
)

// content reads the body of an object of at most so many bytes, unless most is 0.
// Objects that were stored packed by gzip, and say so, are unpacked.
func content(resp *http.Response, most int64) ([]byte, error) {
	if most > 0 && resp.ContentLength > most {
		return nil, tooLarge(most)
	}
	data, err := limited(resp.Body, most)
	if err != nil || resp.Header.Get("Content-Encoding") != "gzip" {
		return data, err
	}
	unpacked, err := unpack(data, most)
	if err != nil {
		return nil, fmt.Errorf("unpack the object: %w", err)
	}
	return unpacked, nil
}

func unpack(data []byte, most int64) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	data, err = limited(z, most)
	var broken *interruption
	if errors.As(err, &broken) {
		err = broken.err // to read it again would help nothing
	}
	return data, err
}

// limited reads all of r. That it breaks off is an interruption.
func limited(r io.Reader, most int64) ([]byte, error) {
	if most > 0 {
		r = io.LimitReader(r, most+1)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, &interruption{fmt.Errorf("read it to the end: %w", err)}
	}
	if most > 0 && int64(len(data)) > most {
		return nil, tooLarge(most)
	}
	return data, nil
}

func tooLarge(most int64) error { return fmt.Errorf("larger than the %d bytes allowed", most) }

// reason reads what a response says about why it is no answer.
func reason(resp *http.Response) []byte {
	// What cannot be read has no reason: the status is told all the same.
	data, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	return data
}

// onPath puts the encoded path and query to base, which is not changed.
func onPath(base *url.URL, path, rawPath, query string) *url.URL {
	u := *base
	u.Path, u.RawPath, u.RawQuery = path, rawPath, query
	return &u
}
