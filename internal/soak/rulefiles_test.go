package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tocsin/config"
)

// generation is what the rule files say.
type generation map[config.Key]*config.Group

func load(t *testing.T, f *ruleFiles) (generation, error) {
	t.Helper()
	set, err := config.Load(context.Background(), config.Options{Patterns: []string{f.pattern()}, ValidateExpressions: true})
	g := generation{}
	for i := range set.Groups {
		g[set.Groups[i].Key] = &set.Groups[i]
	}
	return g, err
}

// changedRules returns how many rules differ between two versions of a group.
func changedRules(a, b *config.Group) int {
	n := 0
	for i := range a.Rules {
		one, other := config.Group{Rules: a.Rules[i : i+1]}, config.Group{Rules: b.Rules[i : i+1]}
		if !one.Equal(&other) {
			n++
		}
	}
	return n
}

func folderSize(t *testing.T, dir string) (sum int64) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		sum += info.Size()
	}
	return sum
}

func TestEachGenerationAltersOneRuleInEveryFileAndReplacesAGroup(t *testing.T) {
	f, err := newRuleFiles(t.TempDir(), size{files: 3, groups: 12, rules: 6}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	before, err := load(t, f)
	if err != nil {
		t.Fatal(err)
	}
	bytes := folderSize(t, f.dir)
	for n := range 60 {
		if err := f.next(); err != nil {
			t.Fatal(err)
		}
		after, err := load(t, f)
		if err != nil {
			t.Fatal(err)
		}
		rules := map[string]int{} // altered in a file
		kept := 0
		for key, g := range after {
			if old := before[key]; old != nil {
				kept++
				rules[key.File] += changedRules(old, g)
			}
		}
		for i := range f.files {
			if file := filepath.Join(f.dir, "rules-00"+string(rune('0'+i))+".yml"); rules[file] != 1 {
				t.Errorf("generation %d: %d rules of %s were altered, want 1", n+1, rules[file], file)
			}
		}
		if len(before) != f.inForce() || len(after) != f.inForce() || kept != f.groups {
			t.Errorf("generation %d: %d groups, %d of the %d before", n+1, len(after), kept, len(before))
		}
		if now := folderSize(t, f.dir); now != bytes {
			t.Errorf("generation %d: %d bytes, want %d", n+1, now, bytes)
		}
		before = after
	}
}

func TestBrokenFileIsRepairedInTheNextGeneration(t *testing.T) {
	f, err := newRuleFiles(t.TempDir(), size{files: 4, groups: 4, rules: 2}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.nextBroken(); err != nil {
		t.Fatal(err)
	}
	var problems config.Problems
	if _, err := load(t, f); !errors.As(err, &problems) || len(problems) != 1 {
		t.Errorf("problems of a broken generation: %v, want one", err)
	}
	if err := f.next(); err != nil {
		t.Fatal(err)
	}
	if _, err := load(t, f); err != nil {
		t.Errorf("the generation after it: %v", err)
	}
}

func TestSizeMustDivideEvenly(t *testing.T) {
	for s, ok := range map[size]bool{
		{files: 100, groups: 1000, rules: 10}: true,
		{files: 1, groups: 1, rules: 1}:       true,
		{files: 3, groups: 10, rules: 1}:      false,
		{files: 10, groups: 5, rules: 1}:      false,
		{files: 0, groups: 5, rules: 1}:       false,
		{files: 1, groups: 1, rules: 0}:       false,
	} {
		if err := s.check(); (err == nil) != ok {
			t.Errorf("%+v: %v", s, err)
		}
	}
}
