package main

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestSplitList(t *testing.T) {
	for _, c := range []struct {
		value string
		want  []string
	}{
		{``, []string{""}},
		{`a`, []string{"a"}},
		{`a,b c,d`, []string{"a", "b c", "d"}},
		{`,a,,b,`, []string{"", "a", "", "b", ""}},
		// The Kubernetes operator passes the quotes along.
		{`"/etc/rules/*.yaml"`, []string{"/etc/rules/*.yaml"}},
		{`""`, []string{""}},
		{`"a,b",'c,d'`, []string{"a,b", "c,d"}},
		{`"a\n\"b\""`, []string{"a\n\"b\""}},
		{`'it\'s'`, []string{"it's"}},
		{`'C:\rules\\x'`, []string{`C:\rules\x`}},
		{`"C:\rules"`, []string{"C:\rules"}}, // \r is an escape of Go strings
		{`"\d+,\\"`, []string{`\d+,\`}},
		{`"ends in \\",b`, []string{`ends in \`, "b"}},
		{`a="x,y",b`, []string{`a="x,y"`, "b"}},
		// Brackets keep commas and stay.
		{`{a,b},[c,d],(e,f)`, []string{"{a,b}", "[c,d]", "(e,f)"}},
		{`dir/{a,b}/*.yml,c`, []string{"dir/{a,b}/*.yml", "c"}},
		{`{a,[b,(c,")")]},d`, []string{`{a,[b,(c,")")]}`, "d"}},
		{`{"aud":"x,y"},{"aud":"z"}`, []string{`{"aud":"x,y"}`, `{"aud":"z"}`}},
		// What has no partner is an ordinary character.
		{`"a,b`, []string{`"a`, "b"}},
		{`it's,b`, []string{"it's", "b"}},
		{`[a,b`, []string{"[a", "b"}},
		{`[a,(b],c)`, []string{"[a", "(b]", "c)"}},
		{`a),b]`, []string{"a)", "b]"}},
		{`"`, []string{`"`}},
		{`'`, []string{`'`}},
	} {
		if diff := cmp.Diff(c.want, splitList(c.value)); diff != "" {
			t.Errorf("splitList(%s) (-want +got):\n%s", c.value, diff)
		}
	}
}

// The work must not grow with the square of the length.
func TestSplitListOfManyOpenBrackets(t *testing.T) {
	value := strings.Repeat(`("`, 1<<19)
	if got := splitList(value); len(got) != 1 || got[0] != value {
		t.Errorf("got %d items, want the value as it is", len(got))
	}
}

func TestListReadsBackWhatItShows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfN(rapid.StringMatching(`[a-z,'"\\\[\](){} \n]{0,8}`), 1, 5).Draw(t, "items")
		if diff := cmp.Diff(items, splitList(joinList(items))); diff != "" {
			t.Fatalf("%s read back (-want +got):\n%s", joinList(items), diff)
		}
	})
}

func TestListsArePairedByIndex(t *testing.T) {
	timeouts := &list[time.Duration]{kind: durationKind(), unset: 10 * time.Second}
	if got := timeouts.at(3); got != 10*time.Second {
		t.Errorf("without values: got %s, want the default", got)
	}
	set(t, timeouts, "5s")
	if got := timeouts.at(3); got != 5*time.Second {
		t.Errorf("a single value applies to every URL: got %s, want 5s", got)
	}
	set(t, timeouts, ",1m")
	want := []time.Duration{5 * time.Second, 10 * time.Second, time.Minute, 10 * time.Second}
	for i, want := range want {
		if got := timeouts.at(i); got != want {
			t.Errorf("value %d: got %s, want %s", i, got, want)
		}
	}
}

func TestListTakesAllItemsOrNone(t *testing.T) {
	switches := &list[bool]{kind: boolKind()}
	set(t, switches, "true,,false")
	if err := switches.Set("true,perhaps"); err == nil {
		t.Error("a wrong item was accepted")
	}
	if diff := cmp.Diff([]bool{true, false, false}, switches.items); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

func set(t *testing.T, v interface{ Set(string) error }, s string) {
	t.Helper()
	if err := v.Set(s); err != nil {
		t.Fatalf("set %q: %v", s, err)
	}
}

func FuzzFlagValues(f *testing.F) {
	for _, seed := range []string{"", `"a,b",c`, `{a,[b]}`, `'`, `"\`, "1d12h", "32MiB", "5", "-1.5h", "1e400", "9999999y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		items := splitList(value)
		if diff := cmp.Diff(items, splitList(joinList(items))); diff != "" {
			t.Errorf("items of %q change when they are written and read (-first +second):\n%s", value, diff)
		}
		if d, err := parseDuration(value); err == nil {
			if again, err := parseDuration(d.String()); err != nil || again != d {
				t.Errorf("duration %q is %s, which reads as %s, %v", value, d, again, err)
			}
		}
		if n, err := parseSize(value); err == nil {
			if again, err := parseSize(strconv.FormatInt(n, 10)); err != nil || !near(again, n) {
				t.Errorf("size %q is %d, which reads as %d, %v", value, n, again, err)
			}
		}
	})
}

// near allows for sizes being read as floating-point numbers.
func near(a, b int64) bool { return float64(a) == float64(b) }
