package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRuntimeInfoHasTheFieldsOfPrometheus(t *testing.T) {
	loaded := time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC)
	stale := errors.New("bad file")
	s := New(Options{Control: Control{
		Reloads: func() []Reload { return []Reload{{At: loaded.Add(time.Hour), Refused: true}, {At: loaded}} },
		Stale:   func() error { return stale },
	}})
	type info struct {
		StartTime, ServerTime, LastConfigTime time.Time
		CWD, Hostname, GOGC, GODEBUG          *string
		ReloadConfigSuccess                   *bool
		CorruptionCount                       *int64
		GoroutineCount, GOMAXPROCS            int
		GOMEMLIMIT                            int64
		StorageRetention                      *string
	}
	ask := func() info {
		body := getOK(t, s, "/api/v1/status/runtimeinfo")
		return decode[struct{ Data info }](t, body).Data
	}
	got := ask()
	if got.StartTime.IsZero() || got.ServerTime.Before(got.StartTime) || !got.LastConfigTime.Equal(loaded) {
		t.Errorf("started %s, now %s, loaded %s", got.StartTime, got.ServerTime, got.LastConfigTime)
	}
	if got.ReloadConfigSuccess == nil || *got.ReloadConfigSuccess {
		t.Error("the last reload is called a success")
	}
	if got.GoroutineCount < 1 || got.GOMAXPROCS < 1 || got.GOMEMLIMIT < 1 {
		t.Errorf("%d goroutines on %d threads, limit %d", got.GoroutineCount, got.GOMAXPROCS, got.GOMEMLIMIT)
	}
	for name, p := range map[string]*string{"CWD": got.CWD, "hostname": got.Hostname, "GOGC": got.GOGC, "GODEBUG": got.GODEBUG, "storageRetention": got.StorageRetention} {
		if p == nil {
			t.Errorf("no %s", name)
		}
	}
	stale = nil
	if got = ask(); !*got.ReloadConfigSuccess {
		t.Error("the last reload is not called a success")
	}
}

func TestVersionIsOneThatReadersParse(t *testing.T) {
	for version, want := range map[string]string{
		"v1.2.3": "1.2.3", "1.2.3": "1.2.3", "v1.2.3-rc.1+dirty": "1.2.3-rc.1+dirty", "v10.0.20": "10.0.20",
		"devel": "0.0.0+devel", "v1.2": "0.0.0+v1-2", "4ad4402-dirty": "0.0.0+4ad4402-dirty", "v01.2.3": "0.0.0+v01-2-3",
		"": "0.0.0", "ä/ö": "0.0.0", "tocsin test": "0.0.0+tocsin-test",
	} {
		if got := semanticVersion(version); got != want {
			t.Errorf("%q: got %q, want %q", version, got, want)
		}
	}
}

func TestErrorsHavePrometheusFormWhereThatIsAskedFor(t *testing.T) {
	s := New(Options{State: demoState(demo()...), PrometheusErrors: true})
	resp, body := get(t, s, "/api/v1/rules?type=x")
	want := `{"status":"error","errorType":"bad_data","error":"invalid parameter \"type\": unsupported value \"x\"; it is alert or record","reason":"bad_data"}`
	if resp.StatusCode != http.StatusBadRequest || resp.Header.Get("Content-Type") != jsonType || body != want {
		t.Errorf("status %d: %s", resp.StatusCode, body)
	}
	resp, body = get(t, s, "/api/v1/group?group_id=1")
	if resp.StatusCode != http.StatusNotFound || !strings.Contains(body, `"errorType":"not_found"`) {
		t.Errorf("status %d: %s", resp.StatusCode, body)
	}
	// vmui reads the number.
	resp, body = get(t, s, "/vmalert/api/v1/rules?type=x")
	checkError(t, "below /vmalert", http.StatusBadRequest, "bad_data", resp, body)
}

func TestErrorsOfBothFormsAreJSONWhateverTheyQuote(t *testing.T) {
	for _, words := range []bool{false, true} {
		s := New(Options{PrometheusErrors: words})
		for _, query := range []string{"type=%22%00%ff%3C", "match[]=%7Ba%3D%22%5C", "state=%e2%80%a8", "group_limit=%0a"} {
			resp, body := get(t, s, "/api/v1/rules?"+query)
			if resp.StatusCode != http.StatusBadRequest || !json.Valid([]byte(body)) {
				t.Errorf("%s: status %d: %s", query, resp.StatusCode, body)
			}
		}
	}
}
