package app

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestMemoryLimit(t *testing.T) {
	const meminfo = "MemTotal:       1000 kB\nMemFree:        1 kB\n"
	for name, tt := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"nobody tells":    {nil, 0},
		"the machine":     {map[string]string{"proc/meminfo": meminfo}, 1024_000},
		"without a limit": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, 1024_000},
		"a container":     {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "5000\n"}, 5000},
		"a group within a group": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/system.slice/tocsin.service\n",
			"sys/fs/cgroup/system.slice/tocsin.service/memory.max": "9000\n", "sys/fs/cgroup/system.slice/memory.max": "7000\n",
		}, 7000},
		"more than there is": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "9999999\n"}, 1024_000},
		"version 1": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "5:cpu,cpuacct:/a\n4:memory:/docker/1\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "6000\n", "sys/fs/cgroup/memory.max": "1\n",
		}, 6000},
		"nonsense": {map[string]string{"proc/meminfo": "MemTotal: x kB\n", "proc/self/cgroup": "x\n"}, 0},
	} {
		root := t.TempDir()
		for _, file := range slices.Sorted(maps.Keys(tt.files)) {
			path := filepath.Join(root, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, path, tt.files[file])
		}
		if got := memoryLimit(root); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}
