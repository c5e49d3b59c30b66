package app

import (
	"bytes"
	"io"
	"strings"
)

// family is the series of one metric, with the type that the text format gives it.
type family struct {
	name, kind string
	series     bytes.Buffer // whole lines
}

// families are the metrics of one scrape, in the order in which they appear.
type families struct {
	list  []*family
	named map[string]*family
}

// writeWithMetadata writes to w what write does, the series of each metric
// together and after a line about its type. Series come from many sets, one for
// each group, and a type may be told only once.
func writeWithMetadata(w io.Writer, write func(io.Writer)) {
	var text bytes.Buffer
	write(&text)
	all := families{named: make(map[string]*family)}
	for line := range bytes.Lines(text.Bytes()) {
		all.add(line)
	}
	var header []byte
	for _, f := range all.list {
		header = append(header[:0], "# HELP "...)
		header = append(append(header, f.name...), "\n# TYPE "...)
		header = append(append(header, f.name...), ' ')
		header = append(append(header, f.kind...), '\n')
		_, _ = w.Write(header) // whoever asks may have gone
		_, _ = f.series.WriteTo(w)
	}
}

func (a *families) add(line []byte) {
	end := bytes.IndexAny(line, "{ ")
	if end <= 0 || line[0] == '#' {
		return
	}
	name := string(line[:end])
	f := a.named[name]
	if f == nil {
		f = a.home(name, line[end:])
		a.named[name] = f
	}
	f.series.Write(line)
}

// home returns the family that the metric of that name belongs to, by its name and
// by the rest of its first line.
func (a *families) home(name string, rest []byte) *family {
	if base, ok := strings.CutSuffix(name, "_bucket"); ok {
		switch {
		case bytes.Contains(rest, []byte(`vmrange="`)):
			// These buckets are no histogram to those who read the type.
			return a.family(base, "untyped")
		case bytes.Contains(rest, []byte(`le="`)):
			return a.family(base, "histogram")
		}
	}
	for _, suffix := range []string{"_sum", "_count"} {
		if base, ok := strings.CutSuffix(name, suffix); ok {
			if f := a.named[base]; f != nil && f.kind != "gauge" {
				return f
			}
		}
	}
	switch {
	case bytes.Contains(rest, []byte(`quantile="`)):
		return a.family(name, "summary")
	case strings.HasSuffix(name, "_total"):
		return a.family(name, "counter")
	}
	return a.family(name, "gauge")
}

// family returns the family of that name, which is of that kind if it is new.
func (a *families) family(name, kind string) *family {
	f := a.named[name]
	if f == nil {
		f = &family{name: name, kind: kind}
		a.named[name] = f
		a.list = append(a.list, f)
	}
	return f
}
