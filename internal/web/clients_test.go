package web

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/web/clienttest"
	"tocsin/rules"
)

// clientGroups is groups of every sort of thing that clients show.
func clientGroups() []*rules.Snapshot {
	held := demoGroup()
	held.Group.Key.Name = "held"
	held.Rules[1].Alerts()[0].KeepFiringSince = at("2026-11-22T13:47:30Z")
	held.Group.Headers = pairs("X-Scope", "team")
	held.Group.NotifierHeaders = pairs("X-Scope", "team")
	held.ID = held.Group.ID()
	return append(demo(), held, simpleGroup("void.yml", "void"), simpleGroup("new.yml", "demo", "NotYetEvaluated"))
}

// served returns s as clients reach it.
func served(t *testing.T, s http.Handler) clienttest.Server {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return clienttest.Server{URL: server.URL, Client: server.Client()}
}

func TestVmuiShowsEverything(t *testing.T) {
	for _, prefix := range []string{"", "/below"} {
		at := served(t, New(Options{State: demoState(clientGroups()...), PathPrefix: prefix}))
		at.URL += prefix
		for _, limit := range []int{1, 2, 100} {
			got, err := clienttest.VMUI(at, limit)
			if err != nil {
				t.Errorf("%d groups a page: %s", limit, err)
			}
			if diff := cmp.Diff(clienttest.Seen{Groups: 5, Rules: 12, Alerts: 4, Notifiers: 1}, got); diff != "" {
				t.Errorf("%d groups a page: (-want +got)\n%s", limit, diff)
			}
		}
	}
}

func TestGrafanaSeesEveryGroup(t *testing.T) {
	at := served(t, New(Options{State: demoState(clientGroups()...), Version: "v1.2.3"}))
	for _, limit := range []int{1, 2, 5, 40} {
		groups, err := clienttest.Grafana(at, limit)
		if err != nil {
			t.Errorf("%d groups a page: %s", limit, err)
		}
		var names []string
		for _, g := range groups {
			names = append(names, g.File+" "+g.Name)
		}
		want := []string{"new.yml demo", "rules.yml demo", "rules.yml held", "rules.yml second", "void.yml void"}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("%d groups a page: (-want +got)\n%s", limit, diff)
		}
	}
}

// without is an API that leaves a field out of its answers.
func without(s http.Handler, field string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner := httptest.NewRecorder()
		s.ServeHTTP(inner, r)
		body, _ := io.ReadAll(inner.Body)
		var v any
		if json.Unmarshal(body, &v) == nil {
			body, _ = json.Marshal(pruned(v, field))
		}
		w.Header().Set("Content-Type", inner.Header().Get("Content-Type"))
		w.WriteHeader(inner.Code)
		_, _ = w.Write(body)
	})
}

func pruned(v any, field string) any {
	switch v := v.(type) {
	case map[string]any:
		delete(v, field)
		for k := range v {
			v[k] = pruned(v[k], field)
		}
	case []any:
		for i := range v {
			v[i] = pruned(v[i], field)
		}
	}
	return v
}

// The clients above would be of no use if they did not miss what they need.
func TestClientsMissTheFieldsTheyRead(t *testing.T) {
	s := New(Options{State: demoState(clientGroups()...)})
	vmui := func(at clienttest.Server) error { _, err := clienttest.VMUI(at, 2); return err }
	grafana := func(at clienttest.Server) error { _, err := clienttest.Grafana(at, 2); return err }
	for _, c := range []struct {
		client func(clienttest.Server) error
		fields string
	}{
		{vmui, "page total_pages total_groups total_rules states evaluationTime limit concurrency group_id debug max_updates_entries keepFiringFor lastSamples datasourceType stabilizing restored source expression address error errorType at series_fetched"},
		{grafana, "status groupNextToken file interval lastEvaluation health query type activeAt value annotations"},
	} {
		for field := range strings.FieldsSeq(c.fields) {
			if err := c.client(served(t, without(s, field))); err == nil {
				t.Errorf("a client does not miss %s", field)
			}
		}
	}
}
