package servers

import "syscall"

// endWithParent makes a process end with its parent, even if that is killed.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
