//go:build !unix || solaris || aix

package replay

// lock does nothing where files cannot be locked.
func lock(string) (release func() error, err error) {
	return func() error { return nil }, nil
}
