package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"tocsin/internal/httpx"
)

// targetFlags are the connection flags of endpoints of which there may be several.
// Their values pair with the URLs by index, and a single value is for every URL.
type targetFlags struct {
	name          string // prefix of the flags, such as "notifier"
	metricsPrefix string
	plainForOne   bool // as in textPerTarget
	texts         []*targetText
	skipVerify    *list[bool]
}

// targetText is a connection flag that is a text, with its values.
type targetText struct {
	connectionText
	textPerTarget
}

// addTargetFlags defines the connection flags of endpoints. The metrics of their
// connections begin with metricsPrefix. With plainForOne the flags of a single
// endpoint are those of addClientFlags.
func addTargetFlags(f *flagSet, name, metricsPrefix string, plainForOne bool) *targetFlags {
	t := &targetFlags{name: name, metricsPrefix: metricsPrefix, plainForOne: plainForOne}
	f.connection = true
	defer func() { f.connection = false }()
	for _, text := range connectionTexts() {
		values := &targetText{connectionText: text, textPerTarget: textPerTarget{plainForOne: plainForOne}}
		f.add(&values.textPerTarget, name+"."+text.suffix, text.help).secret = text.secret
		t.texts = append(t.texts, values)
	}
	t.skipVerify = f.bools(name+".tlsInsecureSkipVerify", skipVerifyHelp)
	return t
}

// client returns the options of the i-th of so many URLs, or everything that is
// wrong with them.
func (t *targetFlags) client(i, urls int) (httpx.ClientOptions, error) {
	c := connection{ClientOptions: httpx.ClientOptions{MetricsPrefix: t.metricsPrefix}}
	for _, text := range t.texts {
		*text.place(&c) = itemAt(text.items(urls), i, "")
	}
	c.TLS.InsecureSkipVerify = itemAt(t.skips(urls), i, false)
	return c.read(func(suffix string) string { return t.flag(suffix, i, urls) })
}

// flag is how messages call the flag of the i-th URL.
func (t *targetFlags) flag(suffix string, i, urls int) string {
	if t.plainForOne && urls <= 1 {
		return "-" + t.name + "." + suffix
	}
	return fmt.Sprintf("-%s.%s (address %d)", t.name, suffix, i+1)
}

// skips is the values of tlsInsecureSkipVerify for so many URLs.
func (t *targetFlags) skips(urls int) []bool {
	items := t.skipVerify.items
	if n := len(items); t.plainForOne && urls <= 1 && n > 0 {
		return items[n-1:]
	}
	return items
}

// surplus warns of values that belong to no URL.
func (t *targetFlags) surplus(urls int) []string {
	var warnings []string
	for _, text := range t.texts {
		warnings = append(warnings, t.warn(text.suffix, len(text.items(urls)), urls)...)
	}
	return append(warnings, t.warn("tlsInsecureSkipVerify", len(t.skips(urls)), urls)...)
}

func (t *targetFlags) warn(suffix string, values, urls int) []string {
	if values <= max(urls, 1) {
		return nil
	}
	return []string{fmt.Sprintf("-%s.%s has %d values for %d -%s.url; the last ones are not used", t.name, suffix, values, urls, t.name)}
}

// textPerTarget is a flag of a text for each of several targets, repeated or
// separated by commas. It can be cut only when all flags are known.
type textPerTarget struct {
	given []string // in order, one for each time
	// plainForOne: for a single target the last value given counts, as it is, with
	// the commas in it.
	plainForOne bool
}

var _ pflag.Value = (*textPerTarget)(nil)

func (t *textPerTarget) String() string { return strings.Join(t.given, ",") }
func (t *textPerTarget) Type() string   { return "array" }

func (t *textPerTarget) Set(s string) error {
	t.given = append(t.given, s)
	return nil
}

// items returns the values for so many targets.
func (t *textPerTarget) items(targets int) []string {
	if n := len(t.given); t.plainForOne && targets <= 1 && n > 0 {
		return t.given[n-1:]
	}
	var items []string
	for _, value := range t.given {
		items = append(items, splitList(value)...)
	}
	return items
}

// urlList is a flag of one or more URLs, repeated or separated by commas.
type urlList struct{ items []string }

var _ pflag.Value = (*urlList)(nil)

func (u *urlList) String() string { return strings.Join(u.items, ",") }
func (u *urlList) Type() string   { return "array" }

func (u *urlList) Set(s string) error {
	if s != "" {
		u.items = append(u.items, splitURLs(s)...)
	}
	return nil
}

// splitURLs cuts value at its commas, but for those in the path or query of a URL.
func splitURLs(value string) []string {
	var urls []string
	for _, item := range splitList(value) {
		if last := len(urls) - 1; last >= 0 && goesOn(urls[last], item) {
			urls[last] += "," + item
		} else {
			urls = append(urls, item)
		}
	}
	return urls
}

// goesOn reports whether item can be the rest of url, after a comma, but no URL.
func goesOn(url, item string) bool {
	_, rest, _ := strings.Cut(url, "://")
	return strings.ContainsAny(rest, "/?") && item != "" && !strings.Contains(item, "://")
}
