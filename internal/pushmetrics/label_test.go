package pushmetrics

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseLabels(t *testing.T) {
	for text, want := range map[string][]Label{
		`instance="alerts-1"`:       {{"instance", "alerts-1"}},
		`job="a",instance="b"`:      {{"job", "a"}, {"instance", "b"}},
		` job = "a" , instance="" `: {{"job", "a"}, {"instance", ""}},
		`x_1="\\\"\n,=} é"`:         {{"x_1", "\\\"\n,=} é"}},
	} {
		got, err := ParseLabels(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestMalformedLabelsAreRefused(t *testing.T) {
	for text, reason := range map[string]string{
		``: "not of the form", `x`: "not of the form", `=""`: "not the name", `1x="a"`: "not the name", `a b="c"`: "not the name",
		`x=a`: "not in double quotes", `x='a'`: "not in double quotes", `x="a`: "no closing quote", `x="a\`: "backslash",
		`x="\t"`: "backslash", `x="a"y="b"`: "something follows", `x="a",`: "not of the form",
	} {
		if got, err := ParseLabels(text); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v, %v; want an error with %q", text, got, err, reason)
		}
	}
}

func TestLabelsAreAdded(t *testing.T) {
	l := newLabeler([]Label{{"instance", `a"\b`}, {"job", "j"}})
	for line, want := range map[string]string{
		"up 1":                           `up{instance="a\"\\b",job="j"} 1`,
		"up{} 1":                         `up{instance="a\"\\b",job="j"} 1`,
		`up{x="1"} 1`:                    `up{instance="a\"\\b",job="j",x="1"} 1`,
		`up{job="own"} 1`:                `up{instance="a\"\\b",job="own"} 1`,
		`up{x="1", job="own",y="2"} 1`:   `up{instance="a\"\\b",x="1", job="own",y="2"} 1`,
		`up{myjob="1",x="job=\"q\""} 1`:  `up{instance="a\"\\b",job="j",myjob="1",x="job=\"q\""} 1`,
		`up{job="own",instance="own"} 1`: `up{job="own",instance="own"} 1`,
		`up{x="a b{"} 1 1700000000000`:   `up{instance="a\"\\b",job="j",x="a b{"} 1 1700000000000`,
		"# TYPE up gauge":                "# TYPE up gauge",
		"":                               "",
		"nonsense":                       "nonsense",
		"nonsense{":                      "nonsense{",
	} {
		if got := string(l.appendLine(nil, []byte(line))); got != want+"\n" {
			t.Errorf("%s: got %q, want %q", line, got, want)
		}
	}
}

// Whoever writes the metrics cuts them as it likes.
func TestLabelsAreAddedHoweverTheTextIsCut(t *testing.T) {
	const text = "# HELP a\na 1\nb{x=\"y\"} 2\nc{} 3"
	const want = "# HELP a\na{i=\"1\"} 1\nb{i=\"1\",x=\"y\"} 2\nc{i=\"1\"} 3\n"
	l := newLabeler([]Label{{"i", "1"}})
	for size := 1; size <= len(text); size++ {
		var out bytes.Buffer
		l.to(&out)
		for rest := text; rest != ""; {
			n := min(size, len(rest))
			if written, err := io.WriteString(l, rest[:n]); err != nil || written != n {
				t.Fatal(written, err)
			}
			rest = rest[n:]
		}
		l.end()
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("in pieces of %d (-want +got):\n%s", size, diff)
		}
	}
}

func FuzzParseLabels(f *testing.F) {
	f.Add(`a="b",c="\\\"\n"`)
	f.Fuzz(func(t *testing.T, text string) {
		labels, err := ParseLabels(text)
		if err != nil {
			return
		}
		// What was read is the same when it is written and read again.
		line := string(newLabeler(labels).appendLine(nil, []byte("up 1")))
		again, err := ParseLabels(line[len("up{") : len(line)-len("} 1\n")])
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if diff := cmp.Diff(labels, again); diff != "" {
			t.Errorf("%q (-first +again):\n%s", text, diff)
		}
	})
}

func BenchmarkLabels(b *testing.B) {
	text := []byte(strings.Repeat("vmalert_alerts_firing{alertname=\"HighLatency\",group=\"api\",file=\"rules.yml\",id=\"1\"} 0\n", 1000))
	l := newLabeler([]Label{{"instance", "alerts-1"}, {"job", "tocsin"}})
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		l.to(io.Discard)
		_, _ = l.Write(text)
		l.end()
	}
}
