package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

const deployDir = "../../docs/deploy"

func readDeployed(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(deployDir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// runTool runs a program of a Debian package and returns what it prints.
func runTool(t *testing.T, pkg, program string, args ...string) (string, error) {
	t.Helper()
	out, err := exec.Command(server(t, program, pkg), args...).CombinedOutput()
	return string(out), err
}

// installedUnit returns the path of the systemd unit with the daemon where the
// unit says.
func installedUnit(t *testing.T) string {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	const installed = "ExecStart=/usr/local/bin/tocsin "
	unit := readDeployed(t, "tocsin.service")
	if strings.Count(unit, installed) != 1 {
		t.Fatalf("the unit has not one line %q", installed)
	}
	unit = strings.Replace(unit, installed, "ExecStart="+bin+" ", 1)
	return writeFile(t, t.TempDir(), "tocsin.service", unit)
}

func TestSystemdUnitIsSound(t *testing.T) {
	t.Parallel()
	unit := installedUnit(t)
	out, err := runTool(t, "systemd", "systemd-analyze", "verify", "--man=no", unit)
	complaints := slices.DeleteFunc(strings.Split(strings.TrimSpace(out), "\n"), func(line string) bool {
		// The other units of the machine are read, too.
		found := regexp.MustCompile(`^(/\S+):\d+: `).FindStringSubmatch(line)
		return found != nil && found[1] != unit
	})
	if systemdVersion(t) < 253 {
		// The type is younger than this systemd. Everything else holds nevertheless.
		complaints = slices.DeleteFunc(complaints, func(line string) bool {
			return strings.HasSuffix(line, "Failed to parse service type, ignoring: notify-reload")
		})
	}
	if text := strings.Join(complaints, "\n"); err != nil || text != "" {
		t.Errorf("systemd-analyze verify: %v\n%s", err, text)
	}
}

func systemdVersion(t *testing.T) int {
	t.Helper()
	out, err := runTool(t, "systemd", "systemd-analyze", "--version")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`^systemd (\d+)`).FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("no version in %q", out)
	}
	v, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSystemdUnitIsHardened(t *testing.T) {
	t.Parallel()
	const exposure = 2 // of 10
	out, err := runTool(t, "systemd", "systemd-analyze", "security", "--offline=true",
		fmt.Sprintf("--threshold=%d", exposure*10), installedUnit(t))
	if err != nil {
		t.Errorf("systemd-analyze security: %s\n%s", err, out)
	}
}

// TestDeployedFlagsAreAccepted starts the daemon as the unit and the compose file
// do, but only to check the rules that come with them.
func TestDeployedFlagsAreAccepted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, rules string
		env, args   []string
	}{
		{"systemd", "/etc/tocsin/rules", environmentFile(t), []string{"-envflag.enable"}},
		{"compose", "/rules", nil, composeCommand(t)},
	} {
		t.Run(c.name, func(t *testing.T) {
			here, err := filepath.Abs(filepath.Join(deployDir, "rules"))
			if err != nil {
				t.Fatal(err)
			}
			d := newTocsin(t, "")
			d.Args, d.Env = append(c.args, "-dryRun", "-httpListenAddr=127.0.0.1:0"), c.env
			for _, list := range [][]string{d.Args, d.Env} {
				for i := range list {
					list[i] = strings.Replace(list[i], "rule="+c.rules, "rule="+here, 1)
				}
			}
			d.launch(t)
			if code := d.wait(t); code != 0 {
				t.Errorf("exit code is %d:\n%s", code, d.output.String())
			}
		})
	}
}

// environmentFile returns the assignments of the unit's environment file.
func environmentFile(t *testing.T) []string {
	t.Helper()
	var env []string
	for line := range strings.Lines(readDeployed(t, "tocsin.env")) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			env = append(env, line)
		}
	}
	return env
}

// composeCommand returns the daemon's arguments in the compose file.
func composeCommand(t *testing.T) []string {
	t.Helper()
	var file struct {
		Services map[string]struct {
			Command []string `yaml:"command"`
		} `yaml:"services"`
	}
	if err := yaml.Unmarshal([]byte(readDeployed(t, "compose.yml")), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Services["tocsin"].Command) == 0 {
		t.Fatal("compose.yml has no command of tocsin")
	}
	return file.Services["tocsin"].Command
}

func TestDeployedConfigurationOfOthersIsSound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pkg, program string
		args         []string
	}{
		{"prometheus", "promtool", []string{"check", "config", "--syntax-only", filepath.Join(deployDir, "scrape.yml")}},
		{"prometheus-alertmanager", "amtool", []string{"check-config", filepath.Join(deployDir, "alertmanager.yml")}},
	} {
		if out, err := runTool(t, c.pkg, c.program, c.args...); err != nil {
			t.Errorf("%s: %s\n%s", c.program, err, out)
		}
	}
}
