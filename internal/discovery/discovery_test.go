package discovery

import (
	"testing"

	"tocsin/config/notifiers"
	"tocsin/internal/httpx"
	"tocsin/internal/relabel"
)

func TestFinderGoesOnForABlockThatFindsTheSame(t *testing.T) {
	block := func() *notifiers.Block {
		return &notifiers.Block{Kind: notifiers.ConsulKind, Line: 1, Consul: &notifiers.Consul{
			URL: "http://consul:8500", Query: notifiers.ConsulQuery{Tags: []string{"a"}},
		}}
	}
	f, err := New(block(), newBench().Options)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Stop()
	for name, tt := range map[string]struct {
		edit func(*notifiers.Block)
		want bool
	}{
		"nothing":           {func(*notifiers.Block) {}, true},
		"its place":         {func(b *notifiers.Block) { b.Line = 9 }, true},
		"relabeling":        {func(b *notifiers.Block) { b.Relabel = &relabel.Rules{} }, true},
		"how to post":       {func(b *notifiers.Block) { b.Alertmanager.PathPrefix = "x" }, true},
		"what is asked for": {func(b *notifiers.Block) { b.Consul.Query.Tags = []string{"b"} }, false},
		"credentials":       {func(b *notifiers.Block) { b.Consul.Client.BearerToken = "other" }, false},
	} {
		b := block()
		tt.edit(b)
		if got := f.Finds(b); got != tt.want {
			t.Errorf("after an edit of %s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestUnusableClientOptionsAreAnError(t *testing.T) {
	_, err := New(&notifiers.Block{Kind: notifiers.HTTPKind, HTTP: &notifiers.HTTP{
		URL: "http://x", Client: httpx.ClientOptions{TLS: httpx.TLS{CAFile: "/does/not/exist"}},
	}}, newBench().Options)
	if err == nil {
		t.Error("a CA file that is not there is no error")
	}
}

func TestUnstartedFinderCanBeStopped(t *testing.T) {
	f, err := New(&notifiers.Block{Kind: notifiers.StaticKind, Static: &notifiers.Static{Targets: []string{"a"}}}, newBench().Options)
	if err != nil {
		t.Fatal(err)
	}
	f.Stop()
}
