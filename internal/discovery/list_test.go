package discovery

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tocsin/config"
	"tocsin/config/notifiers"
	"tocsin/internal/httpx"
)

// replace writes a file in one step.
func replace(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) filesIn(t *testing.T, patterns ...string) *Finder {
	return b.start(t, &notifiers.Block{Kind: notifiers.FileKind, File: &notifiers.File{
		Patterns: patterns, Refresh: time.Millisecond,
	}})
}

func TestStaticTargetsAreThereAtOnce(t *testing.T) {
	f := newBench().start(t, &notifiers.Block{Kind: notifiers.StaticKind, Static: &notifiers.Static{
		Targets: []string{"am-1:9093", " http://am-2 "}, Labels: []config.Pair{{Name: "zone", Value: "a"}},
	}})
	<-f.Looked()
	wantLabels(t, f.Found().Targets, `{__address__="am-1:9093", zone="a"}`, `{__address__="http://am-2", zone="a"}`)
	if found := f.Found(); !found.Complete {
		t.Error("what is written down is not complete")
	}
}

func TestFilesInBothFormats(t *testing.T) {
	dir := t.TempDir()
	yml, json := filepath.Join(dir, "a.yml"), filepath.Join(dir, "b.json")
	replace(t, yml, "- targets: [am-1:9093]\n  labels: {zone: a}\n")
	replace(t, json, "[\n\t{\"targets\": [\"am-2:9093\"], \"labels\": {\"zone\": \"\\ud83d\\ude00\"}}\n]\n")
	f := newBench().filesIn(t, filepath.Join(dir, "*.yml"), json, yml)
	<-f.Looked()
	wantLabels(t, f.Found().Targets,
		`{__address__="am-1:9093", __meta_filepath="`+yml+`", zone="a"}`,
		`{__address__="am-2:9093", __meta_filepath="`+json+`", zone="😀"}`)
}

func TestFilesThatComeChangeAndGo(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.json")
	b := newBench()
	f := b.filesIn(t, filepath.Join(dir, "*.json"))
	<-f.Looked()
	wantAddresses(t, f)
	for _, step := range []struct {
		do   func()
		want string
	}{
		{func() { replace(t, path, `[{"targets":["am-1"]}]`) }, "am-1"},
		{func() { replace(t, path, `[{"targets":["am-2"]}]`) }, "am-2"},
		{func() { replace(t, filepath.Join(dir, "b.json"), `[{"targets":["am-3"]}]`) }, "am-2 am-3"},
		{func() { replace(t, path, `[]`) }, "am-3"},
		{func() {
			if err := os.Remove(filepath.Join(dir, "b.json")); err != nil {
				t.Fatal(err)
			}
		}, ""},
	} {
		step.do()
		b.until(t, f, func(found Found) bool { return strings.Join(addresses(found.Targets), " ") == step.want })
	}
	if err := f.Found().Err; err != nil {
		t.Error(err)
	}
}

func TestBrokenFileKeepsItsTargets(t *testing.T) {
	for name, text := range map[string]string{
		"broken": `[{"targets":["am-`, "empty, as one that is being written": "", "of another kind": `{"targets":["am-2"]}`,
		"with an unknown key": `[{"targets":["am-2"],"lables":{}}]`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path, sound := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.yml")
			replace(t, path, `[{"targets":["am-1"]}]`)
			replace(t, sound, `[{"targets":["am-2"]}]`)
			b := newBench()
			f := b.filesIn(t, path, sound)
			<-f.Looked()
			replace(t, path, text)
			found := b.until(t, f, func(found Found) bool { return found.Err != nil })
			wantAddresses(t, f, "am-1", "am-2")
			if !strings.HasPrefix(found.Err.Error(), path+": ") {
				t.Errorf("error is %q, want it to begin with the file", found.Err)
			}
			replace(t, path, `[{"targets":["am-9"]}]`)
			b.until(t, f, func(found Found) bool { return found.Err == nil && addresses(found.Targets)[0] == "am-9" })
			if b.metric(t, `tocsin_discovery_lookup_errors_total{kind="fileSD"}`) == "0" {
				t.Error("the failure was not counted")
			}
		})
	}
}

func TestUnreadableFileKeepsItsTargets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.json")
	replace(t, path, `[{"targets":["am-1"]}]`)
	b := newBench()
	f := b.filesIn(t, path)
	<-f.Looked()
	// A directory takes the place of the file, with no moment without either.
	link := filepath.Join(t.TempDir(), "link")
	if err := errors.Join(os.Symlink(t.TempDir(), link), os.Rename(link, path)); err != nil {
		t.Fatal(err)
	}
	b.until(t, f, func(found Found) bool { return found.Err != nil })
	wantAddresses(t, f, "am-1")
}

func TestUnreadableDirectoryKeepsItsTargets(t *testing.T) {
	for name, last := range map[string]string{"a pattern": "*.json", "a name": "a.json"} {
		t.Run(name, func(t *testing.T) {
			base, good := t.TempDir(), t.TempDir()
			place, sound := filepath.Join(base, "current"), filepath.Join(base, "b.yml")
			replace(t, filepath.Join(good, "a.json"), `[{"targets":["am-1"]}]`)
			replace(t, sound, `[{"targets":["am-2"]}]`)
			link(t, good, place)
			b := newBench()
			f := b.filesIn(t, filepath.Join(place, last), sound)
			<-f.Looked()
			wantAddresses(t, f, "am-2", "am-1")

			link(t, place, place) // leads nowhere, whoever reads it
			replace(t, sound, `[{"targets":["am-3"]}]`)
			found := b.until(t, f, func(found Found) bool { return found.Err != nil && addresses(found.Targets)[0] == "am-3" })
			wantAddresses(t, f, "am-3", "am-1")
			if want := "resolve the pattern " + filepath.Join(place, last) + ": "; !strings.HasPrefix(found.Err.Error(), want) {
				t.Errorf("error is %q, want it to begin with %q", found.Err, want)
			}
			if b.metric(t, `tocsin_discovery_lookup_errors_total{kind="fileSD"}`) == "0" {
				t.Error("the failure was not counted")
			}

			link(t, t.TempDir(), place) // the file is gone
			b.until(t, f, func(found Found) bool { return found.Err == nil && len(found.Targets) == 1 })
		})
	}
}

func TestDirectoryThatWasNeverReadIsNotComplete(t *testing.T) {
	place := filepath.Join(t.TempDir(), "current")
	link(t, place, place)
	b := newBench()
	f := b.filesIn(t, filepath.Join(place, "*.json"))
	<-f.Looked()
	if found := f.Found(); found.Complete || found.Err == nil {
		t.Errorf("complete is %v, error %v", found.Complete, found.Err)
	}
	link(t, t.TempDir(), place)
	b.until(t, f, func(found Found) bool { return found.Complete && found.Err == nil })
}

// link makes path a link to target, in one step.
func link(t *testing.T, target, path string) {
	t.Helper()
	next := filepath.Join(t.TempDir(), "link")
	if err := errors.Join(os.Symlink(target, next), os.Rename(next, path)); err != nil {
		t.Fatal(err)
	}
}

func TestListFromAServer(t *testing.T) {
	var body atomic.Value
	body.Store(`[{"targets":["am-1:9093"],"labels":{"zone":"a"}}]`)
	var header atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header.Store(r.Header)
		text := body.Load().(string)
		if text == "" {
			http.Error(w, "no", http.StatusBadGateway)
			return
		}
		_, _ = w.Write([]byte(text))
	}))
	defer server.Close()
	b := newBench()
	f := b.start(t, &notifiers.Block{Kind: notifiers.HTTPKind, HTTP: &notifiers.HTTP{
		URL: server.URL + "/targets?token=hunter2", Refresh: 5 * time.Millisecond,
		Client: httpx.ClientOptions{Headers: []string{"X-Key: k"}},
	}})
	<-f.Looked()
	wantLabels(t, f.Found().Targets, `{__address__="am-1:9093", __meta_url="`+server.URL+`/targets?token=hunter2", zone="a"}`)
	got := header.Load().(http.Header)
	for name, want := range map[string]string{
		"Accept": "application/json", "X-Prometheus-Refresh-Interval-Seconds": "0.005", "X-Key": "k",
	} {
		if got.Get(name) != want {
			t.Errorf("header %s is %q, want %q", name, got.Get(name), want)
		}
	}
	for _, broken := range []string{"", "<html>", "null"} {
		body.Store(broken)
		found := b.until(t, f, func(found Found) bool { return found.Err != nil })
		wantAddresses(t, f, "am-1:9093")
		if strings.Contains(found.Err.Error(), "hunter2") {
			t.Errorf("error shows a secret: %v", found.Err)
		}
		body.Store(`[{"targets":["am-1:9093"]}]`)
		b.until(t, f, func(found Found) bool { return found.Err == nil })
	}
	body.Store(`[]`)
	b.until(t, f, func(found Found) bool { return len(found.Targets) == 0 })
	f.Stop()
}

func TestJSONListsWithProblems(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "no list of targets: it is empty",
		"null":                    "not a list of targets: null",
		"[null]":                  "not a list of targets: item 1 is null",
		"[] []":                   "not a list of targets: more follows it",
		`[{"target":["a"]}]`:      `not a list of targets: json: unknown field "target"`,
		`[{"targets":"a"}]`:       "not a list of targets: json: cannot unmarshal string into Go struct field .targets of type []string",
		`[{"labels":{"a":true}}]`: "not a list of targets: json: cannot unmarshal bool into Go struct field .labels of type string",
	} {
		if _, err := parseJSON([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: error is %v, want %s", text, err, want)
		}
	}
}

func FuzzJSONList(f *testing.F) {
	f.Add(`[{"targets":["a"],"labels":{"b":"c"}}]`)
	f.Fuzz(func(t *testing.T, text string) {
		groups, err := parseJSON([]byte(text))
		if err != nil {
			return
		}
		n := 0
		for _, g := range groups {
			n += len(g.Targets)
		}
		if got := targetsOf(groups); len(got) != n {
			t.Errorf("%d label sets of %d targets", len(got), n)
		}
	})
}
