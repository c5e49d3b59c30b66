package servers

import (
	"fmt"
	"os/exec"
)

// Find returns the path of a program of a Debian package. The error of a program
// that is missing has the command that installs it.
func Find(program, pkg string) (string, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return "", fmt.Errorf("%s is missing; install it with:\n\tapt-get update && apt-get install -y --no-install-recommends %s", program, pkg)
	}
	return path, nil
}

// Build builds the daemon at path. A caller that runs under the race detector
// gets a daemon that does too; it then exits with 66 after a race.
func Build(path string) error {
	args := []string{"build", "-buildvcs=false", "-o", path}
	if raceEnabled {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, "tocsin/cmd/tocsin")...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("build the daemon: %w\n%s", err, out)
	}
	return nil
}
