package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// What is in the folder is for its owner only: values may be secret.
const (
	folderMode = 0o700
	fileMode   = 0o600
)

// disk is the folder of a store. Names are relative to it; String returns its path.
type disk interface {
	fmt.Stringer
	// list returns the names of what is in the folder, in any order.
	list() ([]string, error)
	// open opens a file as os.OpenFile does.
	open(name string, flags int) (file, error)
	remove(name string) error
	mkdir(name string) error
	rename(from, to string) error
	// sync makes durable which files there are.
	sync() error
}

// file is one file of a folder.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Sync makes the contents durable.
	Sync() error
	Truncate(size int64) error
	Size() (int64, error)
}

// folder is a disk that is a folder.
type folder struct{ path string }

// makeFolder returns the folder at path, which it makes if need be. The error
// wraps ErrUnwritable.
func makeFolder(path string) (folder, error) {
	d := folder{path}
	if err := os.MkdirAll(path, folderMode); err != nil {
		return d, fmt.Errorf("%w: %w", ErrUnwritable, err)
	}
	if err := d.probe(); err != nil {
		return d, fmt.Errorf("%w: %w", ErrUnwritable, err)
	}
	return d, nil
}

// probe returns an error if no file can be made. A full disk is no reason: it
// may have room again by the time something is to be written.
func (d folder) probe() error {
	f, err := os.CreateTemp(d.path, "probe-")
	switch {
	case isFull(err):
		return nil
	case err != nil:
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func (d folder) String() string { return d.path }

func (d folder) list() ([]string, error) {
	f, err := os.Open(d.path)
	if err != nil {
		return nil, err
	}
	names, err := f.Readdirnames(0)
	return names, errors.Join(err, f.Close())
}

func (d folder) open(name string, flags int) (file, error) {
	f, err := os.OpenFile(filepath.Join(d.path, name), flags, fileMode)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (d folder) remove(name string) error { return os.Remove(filepath.Join(d.path, name)) }

func (d folder) mkdir(name string) error { return os.Mkdir(filepath.Join(d.path, name), folderMode) }

func (d folder) rename(from, to string) error {
	return os.Rename(filepath.Join(d.path, from), filepath.Join(d.path, to))
}

func (d folder) sync() error { return syncFolder(d.path) }

// osFile is a file of the operating system.
type osFile struct{ *os.File }

// Sync makes the contents durable, and of what is known about the file only what
// it takes to read them.
func (f osFile) Sync() error { return syncData(f.File) }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// removed reports whether err, of removing a file, leaves it there.
func removed(err error) bool { return err == nil || errors.Is(err, fs.ErrNotExist) }
