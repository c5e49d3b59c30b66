//go:build !linux

package servers

import "syscall"

// endWithParent makes no difference here: only Linux knows such a thing.
func endWithParent() *syscall.SysProcAttr { return nil }
