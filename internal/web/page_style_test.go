package web

import (
	"bytes"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// colors returns the variables of each palette of the style sheet: light, dark.
func colors(t *testing.T) []map[string]string {
	t.Helper()
	var palettes []map[string]string
	variable := regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]+);`)
	for _, block := range regexp.MustCompile(`:root \{[^}]*\}`).FindAllString(string(styleSheet), -1) {
		palette := map[string]string{}
		for _, m := range variable.FindAllStringSubmatch(block, -1) {
			palette[m[1]] = m[2]
		}
		palettes = append(palettes, palette)
	}
	if len(palettes) != 2 {
		t.Fatalf("%d palettes", len(palettes))
	}
	return palettes
}

// luminance is that of a color written #rgb or #rrggbb, as WCAG defines it.
func luminance(t *testing.T, color string) float64 {
	t.Helper()
	hex := strings.TrimPrefix(color, "#")
	if len(hex) == 3 {
		hex = strings.Join(strings.Split(hex+hex, ""), "")
		hex = string([]byte{hex[0], hex[3], hex[1], hex[4], hex[2], hex[5]})
	}
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatalf("color %q: %s", color, err)
	}
	linear := func(shift int) float64 {
		c := float64(n>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(16) + 0.7152*linear(8) + 0.0722*linear(0)
}

func TestTextHasContrast(t *testing.T) {
	for i, palette := range colors(t) {
		for _, pair := range [][2]string{
			{"text", "ground"}, {"text", "soft"}, {"dim", "ground"}, {"dim", "soft"}, {"link", "ground"}, {"link", "soft"},
			{"bad", "ground"}, {"bad", "bad-soft"}, {"warn", "ground"}, {"warn", "warn-soft"}, {"good", "good-soft"}, {"calm", "calm-soft"},
		} {
			a, b := luminance(t, palette[pair[0]]), luminance(t, palette[pair[1]])
			if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < 4.5 {
				t.Errorf("palette %d: %s on %s has a contrast of %.2f, want 4.5", i, pair[0], pair[1], ratio)
			}
		}
	}
}

func TestStyleSheetServesPhonesDarknessAndPaper(t *testing.T) {
	for _, want := range []string{"max-width: 48rem", "prefers-color-scheme: dark", "@media print", ":focus-visible"} {
		if !strings.Contains(string(styleSheet), want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestStaticFiles(t *testing.T) {
	for path, want := range map[string]string{
		"/vmalert/static/style.css": "text/css; charset=utf-8", "/vmalert/static/page.js": "text/javascript; charset=utf-8",
		"/vmalert/static/favicon.svg": "image/svg+xml", "/favicon.ico": "image/svg+xml",
	} {
		resp, body := get(t, demoServer(), path)
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != want || body == "" || resp.Header.Get("Cache-Control") == "" {
			t.Errorf("%s: %d %v", path, resp.StatusCode, resp.Header)
		}
	}
	for _, path := range []string{"/vmalert/static/", "/vmalert/static/nosuch", "/vmalert/static/../static.go"} {
		if resp, _ := get(t, demoServer(), path); resp.StatusCode == 200 {
			t.Errorf("%s: served", path)
		}
	}
	if bytes.Contains(styleSheet, []byte("//")) || bytes.Contains(styleSheet, []byte("url(")) {
		t.Error("the style sheet reaches outside")
	}
	for _, no := range []string{"://", "fetch(", "innerHTML", "eval(", "document.write"} {
		if bytes.Contains(script, []byte(no)) {
			t.Errorf("the script has %s", no)
		}
	}
}
