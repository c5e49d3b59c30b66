package main

import (
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"0": 0, "5s": 5 * time.Second, "1m30s": 90 * time.Second, "1.5h": 90 * time.Minute,
		"250ms": 250 * time.Millisecond, "-5m": -5 * time.Minute,
		"1d": day, "1w": 7 * day, "1y": 365 * day, "1.5d": 36 * time.Hour,
		"1d12h": 36 * time.Hour, "2w3d4h": 17*day + 4*time.Hour, "-1d": -day,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("parseDuration(%q) = %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-", "5", "1d5", "1 d", "d", "1x", "1d-2h", "5M", "1.2.3s", "99999999999y", "1h 30m"} {
		if got, err := parseDuration(text); err == nil {
			t.Errorf("parseDuration(%q) = %s, want an error", text, got)
		}
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "4096": 4096, "64KB": 64_000, "64kib": 65_536, "1.5MiB": 1_572_864,
		"32MiB": 32 << 20, "2GB": 2_000_000_000, "1GiB": 1 << 30, "1TB": 1e12, "1TiB": 1 << 40, "10b": 10,
	} {
		if got, err := parseSize(text); err != nil || got != want {
			t.Errorf("parseSize(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "MiB", "1XB", "1 MiB 2", "NaN", "1e300GB", "Inf"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("parseSize(%q) = %d, want an error", text, got)
		}
	}
}

func TestFormatSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 1000: "1000", 1024: "1KiB", 32 << 20: "32MiB", 3 << 40: "3TiB", 1 << 50: "1024TiB"} {
		if got := formatSize(n); got != want {
			t.Errorf("formatSize(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 30 * time.Second: "30s", time.Minute: "1m", 5*time.Minute + 30*time.Second: "5m30s",
		time.Hour: "1h", 90 * time.Minute: "1h30m", 10 * time.Minute: "10m", 20 * time.Hour: "20h",
	} {
		if got := formatDuration(d); got != want {
			t.Errorf("formatDuration(%s) = %s, want %s", d, got, want)
		}
	}
}
