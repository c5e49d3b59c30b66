package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// bucket is an S3 server in this process, with one bucket named "rules".
type bucket struct {
	*httptest.Server
	backend *s3mem.Backend
	down    atomic.Bool  // answers 503
	reads   atomic.Int32 // objects that were sent
}

func startBucket(t *testing.T) *bucket {
	t.Helper()
	b := &bucket{backend: s3mem.New()}
	if err := b.backend.CreateBucket("rules"); err != nil {
		t.Fatal(err)
	}
	s3 := gofakes3.New(b.backend).Server()
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case b.down.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		case !strings.Contains(r.Header.Get("Authorization"), "Credential=READER/"):
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code></Error>")
			return
		case strings.HasSuffix(r.URL.Path, ".yml"):
			b.reads.Add(1)
		}
		s3.ServeHTTP(w, r)
	}))
	t.Cleanup(b.Close)
	return b
}

// put stores a rule file with one alert.
func (b *bucket) put(t *testing.T, key, alert string) {
	t.Helper()
	b.store(t, key, fmt.Sprintf("groups: [{name: %s, rules: [{alert: %[1]s, expr: up == 0}]}]", alert))
}

func (b *bucket) store(t *testing.T, key, content string) {
	t.Helper()
	if _, err := b.backend.PutObject("rules", key, nil, strings.NewReader(content), int64(len(content)), nil); err != nil {
		t.Fatal(err)
	}
}

// startQuiet starts a datasource that finds nothing.
func startQuiet(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"status":"success","data":{"resultType":"vector","result":[]}}`)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// startReader starts a daemon with a rule file on disk and those of a prefix.
func (b *bucket) startReader(t *testing.T, args ...string) *tocsin {
	t.Helper()
	keys := writeFile(t, t.TempDir(), "credentials", "[reader]\naws_access_key_id = READER\naws_secret_access_key = hidden-key\n")
	return StartTocsin(t, "groups: [{name: local, rules: [{alert: Local, expr: up == 0}]}]", append([]string{
		"-rule=s3://rules/team/", "-s3.customEndpoint=" + b.URL, "-s3.credsFilePath=" + keys, "-s3.configProfile=reader",
		"-datasource.url=" + startQuiet(t), "-notifier.blackhole",
	}, args...)...)
}

// reloaded has the daemon reload by a signal and waits until it has so many rules
// and problems.
func (d *tocsin) reloaded(t *testing.T, rules string, problems float64) {
	t.Helper()
	before, err := d.metric("vmalert_config_last_reload_total")
	if err != nil {
		t.Fatal(err)
	}
	d.signal(t, syscall.SIGHUP)
	eventually(t, storyTimeout, "the rules are reloaded", func() error {
		after, err := d.metric("vmalert_config_last_reload_total")
		if err == nil && after == before {
			err = fmt.Errorf("there were %v reloads", after)
		}
		if err != nil {
			return err
		}
		got, err := d.ruleNames()
		if err == nil && got != rules {
			err = fmt.Errorf("rules are %q, want %q", got, rules)
		}
		if n, metricErr := d.metric("tocsin_config_problems"); err == nil && (metricErr != nil || n != problems) {
			err = fmt.Errorf("%v problems, want %v: %v", n, problems, metricErr)
		}
		return err
	})
}

// files returns the files of all groups in the order of the API.
func (d *tocsin) files(t *testing.T) string {
	t.Helper()
	var a struct {
		Data struct {
			Groups []struct {
				File string `json:"file"`
			} `json:"groups"`
		} `json:"data"`
	}
	if err := d.api("/api/v1/rules", &a); err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, g := range a.Data.Groups {
		files = append(files, g.File)
	}
	return strings.Join(files, " ")
}

func TestRulesLiveInObjectStorage(t *testing.T) {
	t.Parallel()
	b := startBucket(t)
	b.put(t, "team/a.yml", "A")
	b.put(t, "team/b.yml", "B")
	b.put(t, "other/c.yml", "C")
	d := b.startReader(t)
	if names, err := d.ruleNames(); err != nil || names != "A B Local" {
		t.Fatalf("rules are %q, %v", names, err)
	}
	if got, want := d.files(t), "s3://rules/team/a.yml s3://rules/team/b.yml "+d.rules; got != want {
		t.Errorf("files are %s, want %s", got, want)
	}

	reads := b.reads.Load()
	b.put(t, "team/b.yml", "B2")
	b.put(t, "team/c.yml", "C")
	d.reloaded(t, "A B2 C Local", 0)
	if n := b.reads.Load() - reads; n != 2 {
		t.Errorf("%d objects were read, of which two are new", n)
	}

	b.store(t, "team/a.yml", "groups: [")
	b.put(t, "team/c.yml", "C2")
	d.reloaded(t, "A B2 C2 Local", 1)

	b.down.Store(true)
	d.reloaded(t, "A B2 C2 Local", 1)
	b.down.Store(false)
	b.put(t, "team/a.yml", "A2")
	d.reloaded(t, "A2 B2 C2 Local", 0)

	if _, err := b.backend.DeleteObject("rules", "team/b.yml"); err != nil {
		t.Fatal(err)
	}
	d.reloaded(t, "A2 C2 Local", 0)

	if output := d.output.String(); strings.Contains(output, "hidden-key") {
		t.Errorf("the secret is shown:\n%s", output)
	}
	if code := d.stop(t); code != 0 {
		t.Errorf("it ends with %d", code)
	}
}

func TestStartWithoutTheStoreGoesOnWithTheRest(t *testing.T) {
	t.Parallel()
	b := startBucket(t)
	b.put(t, "team/a.yml", "A")
	b.down.Store(true)
	d := b.startReader(t)
	if names, err := d.ruleNames(); err != nil || names != "Local" {
		t.Errorf("rules are %q, %v", names, err)
	}
	b.down.Store(false)
	d.reloaded(t, "A Local", 0)
}

func TestPathsOfObjectsAreStripped(t *testing.T) {
	t.Parallel()
	b := startBucket(t)
	b.put(t, "team/deep/a.yml", "A")
	d := b.startReader(t, "-rule.stripFilePath")
	if got := d.files(t); got != "a.yml rules.yml" {
		t.Errorf("files are %s", got)
	}
}

func TestObjectsAreCheckedByADryRun(t *testing.T) {
	t.Parallel()
	b := startBucket(t)
	b.store(t, "team/a.yml", "groups: [{name: g, rules: [{alert: A, expr: 'up =='}]}]")
	keys := writeFile(t, t.TempDir(), "credentials", "[default]\naws_access_key_id = READER\naws_secret_access_key = hidden-key\n")
	d := newTocsin(t, "groups: []", "-dryRun", "-rule=s3://rules/team/", "-s3.customEndpoint="+b.URL, "-s3.credsFilePath="+keys)
	d.ReadyURL = ""
	d.start(t)
	if code := d.wait(t); code != 1 || !strings.Contains(d.output.String(), `s3://rules/team/a.yml:1: group "g": rule "A"`) {
		t.Errorf("it ends with %d:\n%s", code, d.output.String())
	}
}
