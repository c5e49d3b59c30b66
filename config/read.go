package config

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// version tells apart what a source holds at different times, in the words of the
// server that holds it. Local files have none: to read them costs little.
type version struct {
	listed   string // of an object, by the listing
	tag      string // by the answer that had the content
	modified string // the Last-Modified of an answer without a tag
}

// read returns the content of src, at most Options.MaxSize bytes, and its version.
// If that is the known one, the error wraps ErrUnchanged. Errors do not contain
// URLs.
func (l *Loader) read(ctx context.Context, src source, known version) ([]byte, version, error) {
	switch {
	case src.object != nil:
		return l.readObject(ctx, src.object, known)
	case src.url != nil:
		return l.fetch(ctx, src.url, known)
	}
	data, err := l.readFile(src)
	return data, version{}, err
}

func (l *Loader) readFile(src source) ([]byte, error) {
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
	if most > 0 {
		if size > most {
			return nil, tooLarge(most)
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
		return nil, tooLarge(most)
	}
	return data, nil
}

func tooLarge(most int64) error { return fmt.Errorf("larger than the %d bytes allowed", most) }

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
