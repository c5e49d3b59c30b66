package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// size is how many rules there are.
type size struct{ files, groups, rules int }

func (s size) check() error {
	if s.files < 1 || s.groups < s.files || s.groups%s.files != 0 || s.rules < 1 {
		return errors.New("-groups must be a multiple of -files, and no number less than 1")
	}
	return nil
}

// inForce returns the number of groups at any time: those that stay, and one
// that is replaced with each generation.
func (s size) inForce() int { return s.groups + 1 }

// ruleFiles is a directory of rule files. From one generation to the next, one
// rule in every file is altered, and the extra group of one file is gone and
// another file has a new one. Every generation has the same number of bytes.
type ruleFiles struct {
	size
	dir        string
	interval   time.Duration // of the extra group
	generation int
	// edits is what was altered so far, by group of a file and rule of that.
	edits [][]edit
}

// edit counts how often the expression and the time of a rule were altered.
type edit struct{ expr, hold int }

// newRuleFiles writes the first generation into dir, which must exist. Groups are
// evaluated each interval, but the extra one more often, so that it is before it
// is gone.
func newRuleFiles(dir string, s size, interval time.Duration) (*ruleFiles, error) {
	f := &ruleFiles{size: s, dir: dir, interval: min(interval, time.Second), edits: make([][]edit, s.groups/s.files)}
	for i := range f.edits {
		f.edits[i] = make([]edit, s.rules)
	}
	return f, f.write(-1)
}

func (f *ruleFiles) pattern() string { return filepath.Join(f.dir, "rules-*.yml") }

// next writes the next generation.
func (f *ruleFiles) next() error {
	f.advance()
	return f.write(-1)
}

// nextBroken writes the next generation with one file that must be refused.
func (f *ruleFiles) nextBroken() error {
	f.advance()
	return f.write(f.generation * 7 % f.files)
}

// advance chooses what differs in the next generation. The rules of all groups
// take turns.
func (f *ruleFiles) advance() {
	f.generation++
	groups := len(f.edits)
	lap := f.generation / groups
	e := &f.edits[f.generation%groups][lap%f.rules]
	// A recording rule has only an expression to alter.
	if lap/f.rules%2 == 0 || isRecording(lap%f.rules) {
		e.expr++
	} else {
		e.hold++
	}
}

// write writes all files; the one with the number broken, if there is one, is
// no rule file.
func (f *ruleFiles) write(broken int) error {
	for i := range f.files {
		text := f.text(i)
		if i == broken {
			text += "  - this: [is not YAML\n"
		}
		path := filepath.Join(f.dir, fmt.Sprintf("rules-%03d.yml", i))
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (f *ruleFiles) text(file int) string {
	var b strings.Builder
	b.WriteString("groups:\n")
	if f.generation%f.files == file {
		// It goes first, so that the lines of all others change too.
		fmt.Fprintf(&b, "- name: %s\n  interval: %s\n  rules:\n", f.extra(), f.interval)
		for i := range f.rules {
			writeRule(&b, file, i, edit{})
		}
	}
	for g, edits := range f.edits {
		fmt.Fprintf(&b, "- name: group-%02d\n  rules:\n", g)
		for i, e := range edits {
			writeRule(&b, file, i, e)
		}
	}
	return b.String()
}

// extra returns the name of the group that only this generation has.
func (f *ruleFiles) extra() string { return fmt.Sprintf("extra-%06d", f.generation) }

// isRecording reports whether rule number i of a group records.
func isRecording(i int) bool { return i%5 == 4 }

func writeRule(b *strings.Builder, file, i int, e edit) {
	expr := fmt.Sprintf(`avg_over_time(up{job="api-%02d",shard="%03d"}[5m]) < 0.5%06d`, i, file, e.expr)
	if isRecording(i) {
		fmt.Fprintf(b, "  - record: job:up_%02d:avg5m\n    expr: %s\n", i, expr)
		return
	}
	fmt.Fprintf(b, `  - alert: InstanceDown%02d
    expr: %s
    for: %ds
    labels: {severity: page, team: infra}
    annotations:
      summary: "Instance {{ $labels.instance }} is down"
      description: "{{ $labels.instance }} of job {{ $labels.job }} is down, value {{ $value }}"
`, i, expr, 1+e.hold%9)
}
