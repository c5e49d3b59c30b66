package demo

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
)

//go:embed rules/*.yml
var sampleRules embed.FS

// writeRules writes the sample rule files into dir, which it makes.
func writeRules(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("making the directory of rules: %w", err)
	}
	entries, err := sampleRules.ReadDir("rules")
	if err != nil {
		return fmt.Errorf("reading the sample rules: %w", err)
	}
	for _, e := range entries {
		text, err := sampleRules.ReadFile("rules/" + e.Name())
		if err != nil {
			return fmt.Errorf("reading the sample rules: %w", err)
		}
		if err := os.WriteFile(filepath.Join(dir, e.Name()), text, 0o644); err != nil {
			return fmt.Errorf("writing the sample rules: %w", err)
		}
	}
	return nil
}
