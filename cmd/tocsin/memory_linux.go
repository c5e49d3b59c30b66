package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// releaseProgram drops the resident pages of the program's file that nobody can
// have written to. Those that are needed again come back from the page cache.
func releaseProgram() error {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return err
	}
	defer maps.Close()
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		m, ok := parseMapping(lines.Text())
		if !ok || m.file != program || strings.Contains(m.permissions, "w") {
			continue
		}
		if _, _, errno := unix.Syscall(unix.SYS_MADVISE, m.from, m.to-m.from, unix.MADV_DONTNEED); errno != 0 {
			return fmt.Errorf("madvise: %w", errno)
		}
	}
	return lines.Err()
}

// mapping is one line of /proc/self/maps, see proc_pid_maps(5).
type mapping struct {
	from, to    uintptr
	permissions string
	file        string
}

// parseMapping returns false if line is of memory without a file.
func parseMapping(line string) (m mapping, ok bool) {
	var fields [5]string // addresses, permissions, offset, device, inode
	for i := range fields {
		fields[i], line, _ = strings.Cut(line, " ")
	}
	m.file = strings.TrimLeft(line, " ")
	m.permissions = fields[1]
	_, err := fmt.Sscanf(fields[0], "%x-%x", &m.from, &m.to)
	if err != nil || m.file == "" {
		return mapping{}, false
	}
	return m, true
}
