package app

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"path/filepath"
	"runtime"
	runtimemetrics "runtime/metrics"
	"strconv"
	"strings"
)

// writeMachineMetrics writes what the process may use of the machine, by the names
// that dashboards for vmalert have for it.
func writeMachineMetrics(w io.Writer) {
	if limit := memoryLimit("/"); limit > 0 {
		fmt.Fprintf(w, "process_memory_limit_bytes %d\nvm_available_memory_bytes %d\n", limit, limit)
	}
	cpus := runtime.GOMAXPROCS(0) // Go heeds the limits of cgroups
	fmt.Fprintf(w, "process_cpu_cores_available %d\nvm_available_cpu_cores %d\n", cpus, cpus)
	fmt.Fprintf(w, "vm_gogc %d\n", collectPercent())
}

// collectPercent is how much the heap may grow between garbage collections, in
// percent.
func collectPercent() uint64 {
	sample := []runtimemetrics.Sample{{Name: "/gc/gogc:percent"}}
	runtimemetrics.Read(sample)
	return sample[0].Value.Uint64()
}

// memoryLimit is the memory that the process may use, in bytes: that of the
// machine, or what its control groups allow if that is less; 0 where nobody tells.
// The file system is the one below root.
func memoryLimit(root string) int64 {
	least := int64(math.MaxInt64)
	for _, limit := range append(cgroupLimits(root), memoryOfMachine(root)) {
		if limit > 0 {
			least = min(least, limit)
		}
	}
	if least == math.MaxInt64 {
		return 0
	}
	return least
}

// memoryOfMachine is the memory there is; 0 where nobody tells.
func memoryOfMachine(root string) int64 {
	text, err := os.ReadFile(filepath.Join(root, "proc/meminfo"))
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte("MemTotal:")); ok {
			return 1024 * readNumber(strings.TrimSuffix(strings.TrimSpace(string(rest)), " kB"))
		}
	}
	return 0
}

// cgroupLimits returns the limits of the control groups the process is in, those
// above included; 0 stands for none.
func cgroupLimits(root string) []int64 {
	var limits []int64
	text, _ := os.ReadFile(filepath.Join(root, "proc/self/cgroup")) // none where there are no groups
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		dir, file := "sys/fs/cgroup", "memory.max"
		if controllers := fields[1]; controllers == "memory" {
			dir, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		} else if controllers != "" {
			continue
		}
		// In a container the group's own path may lie outside of what is mounted; the
		// root of the mount is the group then.
		for group := path.Clean("/" + fields[2]); ; group = path.Dir(group) {
			limit, _ := os.ReadFile(filepath.Join(root, dir, group, file))
			limits = append(limits, readNumber(string(limit)))
			if group == "/" {
				break
			}
		}
	}
	return limits
}

// readNumber returns the number that text consists of; 0 if that is none, such as
// the word max.
func readNumber(text string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
