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

// allVmalertFlags returns the flags of vmalert, and those that only its Enterprise
// edition has.
func allVmalertFlags(t *testing.T) []vmalertFlag {
	t.Helper()
	return slices.Concat(
		vmalertFlags(t, "testdata/vmalert-flags.tsv"),
		vmalertFlags(t, "testdata/vmalert-enterprise-flags.tsv"),
	)
}

func TestEveryFlagOfVmalertIsThereWithItsTypeAndDefault(t *testing.T) {
	f := defineFlags()
	flags := allVmalertFlags(t)
	if len(flags) < 209 {
		t.Fatalf("the tables have %d flags only", len(flags))
	}
	for _, flag := range flags {
		e := f.entry(flag.name)
		if e == nil {
			t.Errorf("there is no -%s", flag.name)
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
	// Of the machine the table was made on.
	case e.Name == "remoteWrite.concurrency":
		return "4 = 2*cgroup.AvailableCPUs()"
	case e.Name == "fs.maxConcurrency":
		return "32 = 16*cgroup.AvailableCPUs()"
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
	for _, flag := range allVmalertFlags(t) {
		known[flag.name] = true
	}
	want := []string{
		"datasource.maxConcurrentQueries", "datasource.queryTimeout", "h", "help", "http.prometheusErrors",
		"notifier.drainTimeout", "notifier.maxAge", "notifier.maxBatchSize", "remoteWrite.drainTimeout", "replay.resume",
		"rule.allOrNothing", "rule.catchUp", "rule.catchUpConcurrency", "rule.chainDelay", "rule.chainWait", "rule.conflictingLabels", "rule.loadTimeout", "rule.maxFileSize", "rule.resendOnErrorDuration", "rule.silentRemoval",
		"storage.maxDiskUsage", "storage.path", "tlsAutocertDirectoryURL",
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
