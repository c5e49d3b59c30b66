package awsauth

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// profile is a section of the shared files: keys in lower case.
type profile map[string]string

// profiles are those of the files, by name.
type profiles map[string]profile

// Most of a shared file that is read, in bytes.
const maxSharedFile = 1 << 20

// readProfiles reads the configuration file and the credentials file, of which the
// second wins. A file that is named must be there.
func (o *Options) readProfiles() (profiles, error) {
	all := profiles{}
	for _, f := range []struct {
		given, variable, usual string
		inConfig               bool
	}{
		{o.ConfigFile, "AWS_CONFIG_FILE", "config", true},
		{o.CredentialsFile, "AWS_SHARED_CREDENTIALS_FILE", "credentials", false},
	} {
		path := cmp.Or(f.given, o.Env(f.variable))
		named := path != ""
		if home := o.Env("HOME"); !named && home != "" {
			path = filepath.Join(home, ".aws", f.usual)
		}
		if path == "" {
			continue
		}
		text, err := readSmall(path)
		if errors.Is(err, fs.ErrNotExist) && !named {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the %s file: %w", f.usual, err)
		}
		all.add(text, f.inConfig)
	}
	return all, nil
}

func readSmall(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Size() > maxSharedFile {
		return "", fmt.Errorf("%s is not a regular file of at most %d bytes", path, maxSharedFile)
	}
	text, err := os.ReadFile(path)
	return string(text), err
}

// add takes over the sections of a file. In configuration files the section of a
// profile is called "profile NAME", which wins over one that is called NAME.
func (ps profiles) add(text string, inConfig bool) {
	prefixed := map[string]bool{}
	var current profile
	for line := range strings.Lines(text) {
		indented := strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")
		line = strings.TrimSpace(withoutComment(line))
		switch {
		case line == "":
		case line[0] == '[':
			name, isPrefixed, ok := sectionName(line, inConfig)
			if !ok || prefixed[name] && !isPrefixed {
				current = nil
				continue
			}
			if isPrefixed && !prefixed[name] {
				prefixed[name] = true
				delete(ps, name)
			}
			if current = ps[name]; current == nil {
				current = profile{}
				ps[name] = current
			}
		case current == nil || indented: // an indented line belongs to the setting before
		default:
			if key, value, ok := strings.Cut(line, "="); ok {
				current[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
			}
		}
	}
}

// sectionName returns the profile of the line that begins a section; false if it
// is of something else.
func sectionName(line string, inConfig bool) (name string, prefixed, ok bool) {
	name, _, ok = strings.Cut(line[1:], "]")
	if !ok {
		return "", false, false
	}
	name = strings.TrimSpace(name)
	kind, rest, found := strings.Cut(name, " ")
	switch {
	case !found:
		return name, false, name != ""
	case inConfig && kind == "profile":
		name = strings.Trim(strings.TrimSpace(rest), `"`)
		return name, true, name != ""
	}
	return "", false, false
}

// withoutComment cuts what follows a comment sign at the start of a line or after
// a space.
func withoutComment(line string) string {
	for i := range len(line) {
		if (line[i] == '#' || line[i] == ';') && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
			return line[:i]
		}
	}
	return line
}
