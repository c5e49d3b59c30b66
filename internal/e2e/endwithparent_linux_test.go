package e2e

import "syscall"

// endWithParent makes a process end with the tests, even if those are killed.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
