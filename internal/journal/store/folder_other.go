//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package store

// syncFolder does nothing: folders cannot be synced here.
func syncFolder(string) error { return nil }

// lock does nothing: it is up to the user to start one process per folder.
func lock(string) (release func() error, err error) { return func() error { return nil }, nil }
