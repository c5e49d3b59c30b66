package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// vmalertFlag is a flag as vmalert has it.
type vmalertFlag struct{ name, kind, unset string }

// vmalertFlags reads a table of vmalert's flags.
func vmalertFlags(t *testing.T, path string) []vmalertFlag {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []vmalertFlag
	for line := range strings.Lines(string(content)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := append(strings.Split(strings.TrimRight(line, "\n"), "\t"), "", "")
		all = append(all, vmalertFlag{fields[0], fields[1], fields[2]})
	}
	return all
}

func TestEveryFlagOfVmalertIsKnown(t *testing.T) {
	f := defineFlags()
	flags := slices.Concat(
		vmalertFlags(t, "testdata/vmalert-flags.tsv"),
		vmalertFlags(t, "testdata/vmalert-enterprise-flags.tsv"),
	)
	if len(flags) < 150 {
		t.Fatalf("the tables have %d flags only", len(flags))
	}
	names := make([]string, len(flags))
	for i, flag := range flags {
		names[i] = flag.name
		has, later := f.entry(flag.name) != nil, slices.Contains(notYet, flag.name)
		switch {
		case !has && !later:
			t.Errorf("-%s is neither supported nor in the table of those that are not yet", flag.name)
		case has && later:
			t.Errorf("-%s is supported and in the table of those that are not yet", flag.name)
		}
	}
	for _, name := range notYet {
		if !slices.Contains(names, name) {
			t.Errorf("-%s is in the table of flags that are not supported yet, but vmalert has no such flag", name)
		}
	}
	if !slices.IsSorted(notYet) {
		t.Error("the table of flags that are not supported yet is not sorted")
	}
}

func TestFlagsHaveTheTypesAndDefaultsOfVmalert(t *testing.T) {
	f := defineFlags()
	for _, flag := range vmalertFlags(t, "testdata/vmalert-flags.tsv") {
		e := f.entry(flag.name)
		if e == nil {
			continue
		}
		kind := e.Value.Type()
		if e.secret && flag.kind == "value" {
			kind = "value" // vmalert's name for a secret
		}
		if kind == "array" && e.topic == topicRemoteWrite {
			kind = flag.kind // vmalert has one URL only, of which ours has a list
		}
		if kind != flag.kind {
			t.Errorf("-%s is of type %s, in vmalert %s", flag.name, kind, flag.kind)
		}
		if unset := tableDefault(e); unset != flag.unset {
			t.Errorf("-%s has the default %q, in vmalert %q", flag.name, unset, flag.unset)
		}
	}
}

// tableDefault is the default of e as the table has it: empty if it is zero.
func tableDefault(e *entry) string {
	switch {
	case e.Name == "remoteWrite.concurrency":
		// Of the machine the table was made on.
		return "4 = 2*cgroup.AvailableCPUs()"
	case e.Name == "httpListenAddr":
		return e.DefValue // what is used instead is not the default of the flag
	case e.Value.Type() == "array":
		return e.defaultDoc
	}
	switch e.DefValue {
	case "0", "0s", "false":
		return ""
	}
	return e.DefValue
}

// What tocsin has beyond vmalert must not hide behind a name vmalert uses.
func TestAdditionalFlags(t *testing.T) {
	known := make(map[string]bool)
	for _, path := range []string{"testdata/vmalert-flags.tsv", "testdata/vmalert-enterprise-flags.tsv"} {
		for _, flag := range vmalertFlags(t, path) {
			known[flag.name] = true
		}
	}
	want := []string{
		"datasource.maxConcurrentQueries", "datasource.queryTimeout", "h", "help",
		"notifier.drainTimeout", "notifier.maxAge", "notifier.maxBatchSize", "remoteWrite.drainTimeout",
		"rule.allOrNothing", "rule.catchUp", "rule.catchUpConcurrency", "rule.chainWait", "rule.conflictingLabels", "rule.loadTimeout", "rule.maxFileSize", "rule.resendOnErrorDuration", "rule.silentRemoval",
		"storage.maxDiskUsage", "storage.path",
	}
	var got []string
	for _, e := range defineFlags().sorted() {
		if !known[e.Name] {
			got = append(got, e.Name)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("additional flags:\n got %q\nwant %q", got, want)
	}
}
