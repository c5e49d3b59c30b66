package main

import (
	"bytes"
	"os"
	"strconv"
	"testing"
)

func TestMappingsAreRead(t *testing.T) {
	for line, want := range map[string]mapping{
		"00400000-00b8f000 r-xp 00000000 fe:01 131 /usr/bin/tocsin":                        {0x400000, 0xb8f000, "r-xp", "/usr/bin/tocsin"},
		"7f32a4920000-7f32a4d00000 rw-p 00000000 00:00 0 ":                                 {},
		"7ffc1a1f5000-7ffc1a216000 rw-p 00000000 00:00 0                          [stack]": {0x7ffc1a1f5000, 0x7ffc1a216000, "rw-p", "[stack]"},
		"00400000-00b8f000 r--p 00000000 fe:01 131      /opt/two words/tocsin (deleted)":   {0x400000, 0xb8f000, "r--p", "/opt/two words/tocsin (deleted)"},
		"nonsense": {},
		"":         {},
	} {
		if got, ok := parseMapping(line); got != want || ok != (want != mapping{}) {
			t.Errorf("%q is read as %+v, %t; want %+v", line, got, ok, want)
		}
	}
}

func TestProgramGoesOnWithoutItsPages(t *testing.T) {
	if err := releaseProgram(); err != nil {
		t.Fatal(err)
	}
	got := run([]string{"-version"}, os.LookupEnv, new(bytes.Buffer), new(bytes.Buffer))
	if got != exitClean {
		t.Errorf("the program ends with %d, want %d", got, exitClean)
	}
}

func TestPagesOfTheProgramAreGivenBack(t *testing.T) {
	text := residentFile(t)
	if err := releaseProgram(); err != nil {
		t.Fatal(err)
	}
	if now := residentFile(t); now >= text {
		t.Errorf("%d kB of files are resident, before it were %d kB", now, text)
	}
}

// residentFile returns how much of mapped files is in memory, in kB.
func residentFile(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(status) {
		if value, found := bytes.CutPrefix(line, []byte("RssFile:")); found {
			kb, err := strconv.Atoi(string(bytes.TrimSuffix(bytes.TrimSpace(value), []byte(" kB"))))
			if err != nil {
				t.Fatal(err)
			}
			return kb
		}
	}
	t.Fatal("the kernel does not tell")
	return 0
}
