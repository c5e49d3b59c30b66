package daemon

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Tocsin returns the absolute path of a binary of tocsin: path, or one that it
// builds into dir if path is empty.
func Tocsin(path, dir string) (string, error) {
	if path != "" {
		return filepath.Abs(path)
	}
	path = filepath.Join(dir, "tocsin")
	build := exec.Command("go", "build", "-o", path, "tocsin/cmd/tocsin")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return "", fmt.Errorf("build tocsin: %w", err)
	}
	return path, nil
}

// Vmalert returns the path of the vmalert to compare with, by its name or path.
func Vmalert(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%w; install it with: apt-get install victoria-metrics", err)
	}
	return path, nil
}
