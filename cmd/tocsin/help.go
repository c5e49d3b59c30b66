package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// helpRequest is the value of -help: whether it was given and with what topic.
type helpRequest struct {
	asked bool
	topic string
}

var _ pflag.Value = (*helpRequest)(nil)

func (h *helpRequest) String() string { return h.topic }
func (h *helpRequest) Type() string   { return "topic" }

// Set takes "true", which -help without a value means, for the short help.
func (h *helpRequest) Set(topic string) error {
	h.asked = topic != "false"
	h.topic = ""
	if topic != "true" && topic != "false" {
		h.topic = topic
	}
	return nil
}

// takesTopic reports whether the switch may be followed by a topic, as in
// "-help datasource".
func takesTopic(flag *pflag.Flag) bool { return flag.Value.Type() == "topic" }

// printRequest is the error of a command line that asks for text instead of a
// run.
type printRequest struct{ text string }

func (*printRequest) Error() string { return "text was asked for" }

// printRequest returns what -help or -version asks for, or an error if there is
// no such topic.
func (f *flags) printRequest() error {
	if !f.help.asked {
		return &printRequest{versionText()}
	}
	var text strings.Builder
	if f.help.topic == "" {
		f.writeHelp(&text)
		return &printRequest{text.String()}
	}
	entries, err := f.about(f.help.topic)
	if err != nil {
		return err
	}
	writeEntries(&text, entries)
	return &printRequest{text.String()}
}

// topics lists the topics in the order of their first flags.
func (f *flagSet) topics() []topic {
	var topics []topic
	for _, e := range f.entries {
		if !slices.Contains(topics, e.topic) {
			topics = append(topics, e.topic)
		}
	}
	return topics
}

// about returns the flags of a topic, or those whose name is subject or begins
// with it.
func (f *flagSet) about(subject string) ([]*entry, error) {
	subject = strings.TrimLeft(subject, "-")
	keys := make([]string, 0, 10)
	for _, t := range f.topics() {
		keys = append(keys, t.key)
		if strings.EqualFold(t.key, subject) || strings.EqualFold(t.title, subject) {
			return f.where(func(e *entry) bool { return e.topic == t }), nil
		}
	}
	if e := f.entry(subject); e != nil {
		return []*entry{e}, nil
	}
	found := f.where(func(e *entry) bool { return strings.HasPrefix(e.Name, subject+".") })
	if len(found) == 0 {
		return nil, fmt.Errorf("-help: no topic or flag %q; the topics are %s", subject, strings.Join(keys, ", "))
	}
	return found, nil
}

func (f *flagSet) where(wanted func(*entry) bool) []*entry {
	var found []*entry
	for _, e := range f.entries {
		if wanted(e) {
			found = append(found, e)
		}
	}
	return found
}

const helpHead = `tocsin evaluates alerting and recording rules against a datasource.

Usage:
  tocsin -rule=rules/*.yaml -datasource.url=http://127.0.0.1:8428 \
         -notifier.url=http://127.0.0.1:9093 -remoteWrite.url=http://127.0.0.1:8428
  tocsin -rule=rules/*.yaml -dryRun

Flags take one dash or two. Lists may be repeated or separated by commas; a comma
in quotes or brackets is part of its item. %{NAME} in a value stands for the
environment variable NAME.
`

// writeHelp writes the short help: all flags by topic, but for those about
// connections, which are much the same for every topic.
func (f *flagSet) writeHelp(w io.Writer) {
	io.WriteString(w, helpHead)
	for _, t := range f.topics() {
		fmt.Fprintf(w, "\n%s:\n", t.title)
		writeEntries(w, f.where(func(e *entry) bool { return e.topic == t && !e.connection }))
		connection := f.where(func(e *entry) bool { return e.topic == t && e.connection })
		if len(connection) > 0 {
			fmt.Fprintf(w, "  and %d for authentication, TLS and headers: tocsin -help=%s\n", len(connection), t.key)
		}
	}
}

// writeEntries writes one line for each flag.
func writeEntries(w io.Writer, entries []*entry) {
	width := 0
	for _, e := range entries {
		width = max(width, len(e.usage()))
	}
	for _, e := range entries {
		fmt.Fprintf(w, "  %-*s  %s", width, e.usage(), e.Usage)
		if unset := e.shownDefault(); unset != "" {
			fmt.Fprintf(w, " (default %s)", unset)
		}
		io.WriteString(w, "\n")
	}
}

// usage is the flag with the type of its value, which a switch need not have.
func (e *entry) usage() string {
	if e.NoOptDefVal != "" {
		return "-" + e.Name
	}
	return "-" + e.Name + " " + e.Value.Type()
}
