package httpx

import (
	"errors"
	"fmt"
	"io"
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
)

// file is a file whose content follows the disk. The zero value is not usable.
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
	in, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, maxFileSize+1))
	if err != nil {
		return "", err
	}
	if len(data) > maxFileSize {
		return "", fmt.Errorf("read %s: more than %d bytes", path, maxFileSize)
	}
	text := strings.TrimRight(string(data), " \t\r\n")
	if text == "" {
		return "", &os.PathError{Op: "read", Path: path, Err: errors.New("file is empty")}
	}
	return text, nil
}
