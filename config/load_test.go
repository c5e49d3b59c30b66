package config

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// write puts files with one group each, named by the file's base name, into a new
// directory and makes it the working one.
func write(t *testing.T, files ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, f := range files {
		writeFile(t, f, groupFile(strings.TrimSuffix(filepath.Base(f), ".yml")))
	}
}

func writeFile(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func groupFile(name string) string {
	return "groups: [{name: " + name + ", rules: [{alert: A, expr: up == 0}]}]\n"
}

func mustLoad(t *testing.T, o Options) *Set {
	t.Helper()
	set, err := Load(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func keys(groups []Group) []string {
	var all []string
	for _, g := range groups {
		all = append(all, g.Key.String())
	}
	return all
}

func TestFilesAreReadInTheOrderOfPatterns(t *testing.T) {
	write(t, "b/2.yml", "b/10.yml", "a/1.yml", "a/deep/er/3.yml", "a/notes.txt", "c.yml")
	set := mustLoad(t, Options{Patterns: []string{"c.yml", "b/*.yml", "a/**/*.yml", "none/*.yml"}})
	want := []string{"c.yml;c", "b/10.yml;10", "b/2.yml;2", "a/1.yml;1", "a/deep/er/3.yml;3"}
	if diff := cmp.Diff(want, keys(set.Groups)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"none/*.yml"}, set.Unmatched); diff != "" {
		t.Error(diff)
	}
}

func TestFileMatchedTwiceIsReadOnce(t *testing.T) {
	write(t, "a.yml")
	abs, err := filepath.Abs("a.yml")
	if err != nil {
		t.Fatal(err)
	}
	set := mustLoad(t, Options{Patterns: []string{"a.yml", "*.yml", "./a.yml", abs}})
	if diff := cmp.Diff([]string{"a.yml;a"}, keys(set.Groups)); diff != "" {
		t.Error(diff)
	}
}

func TestSameGroupNameInTwoFilesIsTwoGroups(t *testing.T) {
	write(t, "a/x.yml", "b/x.yml")
	set := mustLoad(t, Options{Patterns: []string{"*/x.yml"}})
	if diff := cmp.Diff([]string{"a/x.yml;x", "b/x.yml;x"}, keys(set.Groups)); diff != "" {
		t.Error(diff)
	}
}

func TestStrippedPathsMustKeepGroupsApart(t *testing.T) {
	write(t, "a/x.yml", "b/x.yml", "b/y.yml")
	writeFile(t, "c/x.yml", groupFile("z"))
	set, err := Load(context.Background(), Options{Patterns: []string{"*/*.yml"}, StripPath: true})
	want := `x.yml:1: group "x": another file that is shown by the same name has a group of this name ` +
		`(rename the group or the file, or do not strip paths)`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if diff := cmp.Diff([]string{"x.yml;x", "y.yml;y", "x.yml;z"}, keys(set.Groups)); diff != "" {
		t.Error(diff)
	}
}

func TestBadFileDoesNotHideTheOthers(t *testing.T) {
	write(t, "a.yml", "c.yml")
	writeFile(t, "b.yml", "groups: [{name: good}, {name: bad, rules: [{alert: A}]}]")
	set, err := Load(context.Background(), Options{Patterns: []string{"missing.yml", "*.yml", "."}})
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	want := []string{
		".: is a directory (a pattern such as dir/*.yaml reads the files of a directory)",
		`b.yml:1: group "bad": rule "A": expr must not be empty`,
		"missing.yml: no such file or directory",
	}
	var got []string
	for _, p := range problems {
		got = append(got, p.Error())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, f := range set.Files {
		if bad := len(f.Problems) > 0; bad == (len(f.Groups) > 0) {
			t.Errorf("%s: %d groups, %d problems", f.Name, len(f.Groups), len(f.Problems))
		}
	}
	if len(set.Groups) != 2 {
		t.Errorf("got %v", keys(set.Groups))
	}
}

func TestMountedConfigMapIsReadOnceUnderItsOwnNames(t *testing.T) {
	write(t, "..2024_01_01/a.yml", "..2024_01_01/b.yml")
	for link, target := range map[string]string{"..data": "..2024_01_01", "a.yml": "..data/a.yml", "b.yml": "..data/b.yml"} {
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
	}
	l := NewLoader(Options{Patterns: []string{"*", "**/*.yml"}})
	set, err := l.Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a.yml;a", "b.yml;b"}
	if diff := cmp.Diff(want, keys(set.Groups)); diff != "" {
		t.Error(diff)
	}

	// The update of a volume: new content, another target of ..data.
	writeFile(t, "..2024_01_02/a.yml", groupFile("new"))
	if err := errors.Join(os.Symlink("..2024_01_02", "..tmp"), os.Rename("..tmp", "..data")); err != nil {
		t.Fatal(err)
	}
	set, err = l.Load(context.Background())
	if err != nil {
		t.Fatalf("b.yml is a dangling link now and must be passed over: %v", err)
	}
	if diff := cmp.Diff([]string{"a.yml;new"}, keys(set.Groups)); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyAGlobbedFileMayVanish(t *testing.T) {
	gone := &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}
	if globbed := (&source{globbed: true}); !globbed.vanished(gone) || globbed.vanished(fs.ErrPermission) {
		t.Error("a file found by a glob may vanish, but not be unreadable")
	}
	if plain := (&source{}); plain.vanished(gone) {
		t.Error("a file that is named must be there")
	}
}

func TestLargeFileIsRefused(t *testing.T) {
	write(t, "a.yml")
	size := int64(len(groupFile("a")))
	mustLoad(t, Options{Patterns: []string{"a.yml"}, MaxSize: size})
	_, err := Load(context.Background(), Options{Patterns: []string{"a.yml"}, MaxSize: size - 1})
	if want := fmt.Sprintf("a.yml: larger than the %d bytes allowed", size-1); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestBrokenPatternsAreProblems(t *testing.T) {
	_, err := Load(context.Background(), Options{Patterns: []string{"[a.yml", "http://", "https://user:pw@h:x/"}})
	want := "[a.yml: resolve the pattern: syntax error in pattern\nhttp://: not a valid URL\nhttps://: not a valid URL"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestVariablesAreReplacedBeforeParsing(t *testing.T) {
	env := map[string]string{
		"GROUP": "g%{SUFFIX}", "SUFFIX": "1", "LOOP": "%{LOOP}", "RULES": "\n  - alert: A\n    expr: up",
	}
	lookup := func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}
	t.Chdir(t.TempDir())
	writeFile(t, "a.yml", "groups:\n- name: %{GROUP}-%{UNSET}-%{%{SUFFIX}}-%{open\n  labels: {loop: \"%{LOOP}\"}\n  rules: %{RULES}\n")
	o := Options{Patterns: []string{"a.yml"}, Env: lookup}
	g := mustLoad(t, o).Groups[0]
	if got, want := g.Key.Name, "g1-%{UNSET}-%{1}-%{open"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if len(g.Rules) != 1 || g.Labels[0].Value != "%{LOOP}" {
		t.Errorf("got %+v", g)
	}
	o.Env = nil
	if g := decode(t, "groups: [{name: \"%{GROUP}\"}]")[0]; g.Key.Name != "%{GROUP}" {
		t.Errorf("without an environment: got %s", g.Key.Name)
	}
}

func TestReloadParsesOnlyWhatChanged(t *testing.T) {
	write(t, "a.yml", "b.yml", "c.yml")
	l := NewLoader(Options{Patterns: []string{"*.yml"}, ValidateExpressions: true})
	first, err := l.Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, "b.yml", groupFile("edited"))
	writeFile(t, "c.yml", "groups: [{}]")
	second, err := l.Load(context.Background())
	if err == nil {
		t.Fatal("the problem of c.yml is not reported")
	}
	if diff := cmp.Diff([]string{"a.yml;a", "b.yml;edited"}, keys(second.Groups)); diff != "" {
		t.Error(diff)
	}
	if &first.Groups[0].Rules[0] != &second.Groups[0].Rules[0] {
		t.Error("a.yml was parsed again although it is unchanged")
	}
	if first.Files[0].Hash != second.Files[0].Hash || first.Files[1].Hash == second.Files[1].Hash {
		t.Error("the hashes do not tell which file changed")
	}
	if _, again := l.Load(context.Background()); again == nil || again.Error() != err.Error() {
		t.Errorf("an unchanged bad file is reported once only: %v", again)
	}
}

func TestCancelledLoadReturnsNoSet(t *testing.T) {
	write(t, "a.yml")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	set, err := Load(ctx, Options{Patterns: []string{"a.yml"}})
	if set != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v", set, err)
	}
}

// serve answers with the handler; its transport is closed with the test.
func serve(t *testing.T, h http.HandlerFunc) (string, http.RoundTripper) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL, srv.Client().Transport
}

func TestRulesAreFetchedFromURLs(t *testing.T) {
	base, transport := serve(t, func(w http.ResponseWriter, r *http.Request) {
		content := groupFile(r.URL.Query().Get("g"))
		if r.URL.Path != "/packed" {
			_, _ = w.Write([]byte(content))
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write([]byte(content))
		_ = z.Close()
	})
	patterns := []string{base + "/packed?g=a", base + "/plain?g=b", base + "/plain?g=b2", base + "/plain?g=b"}
	set := mustLoad(t, Options{Patterns: patterns, Transport: transport, Timeout: time.Minute, MaxSize: 1000})
	want := []string{base + "/packed;a", base + "/plain;b", base + "/plain#2;b2"}
	if diff := cmp.Diff(want, keys(set.Groups)); diff != "" {
		t.Error(diff)
	}
	set = mustLoad(t, Options{Patterns: patterns[:2], Transport: transport, StripPath: true})
	if diff := cmp.Diff([]string{"packed;a", "plain;b"}, keys(set.Groups)); diff != "" {
		t.Error(diff)
	}
}

func TestFailedFetchSaysWhyWithoutSecrets(t *testing.T) {
	release := make(chan struct{})
	base, transport := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/large":
			_, _ = w.Write(make([]byte, 2000))
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(make([]byte, 1<<20))
			_ = z.Close()
		case "/slow":
			select {
			case <-release:
			case <-r.Context().Done():
			}
		default:
			http.NotFound(w, r)
		}
	})
	defer close(release)
	secret := strings.Replace(base, "http://", "http://user:pw@", 1)
	for path, want := range map[string]string{
		"/missing": "the server answered 404 Not Found",
		"/large":   "larger than the 1000 bytes allowed",
		"/bomb":    "larger than the 1000 bytes allowed",
		"/slow":    "no complete answer within 100ms",
	} {
		o := Options{Patterns: []string{secret + path + "?token=pw"}, Transport: transport, MaxSize: 1000}
		if path == "/slow" {
			o.Timeout = 100 * time.Millisecond
		}
		_, err := Load(context.Background(), o)
		if want = base + path + ": " + want; err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", path, err, want)
		}
	}
	_, err := Load(context.Background(), Options{Patterns: []string{"http://user:pw@127.0.0.1:1/?token=pw"}, Transport: transport})
	if err == nil || strings.Contains(err.Error(), "pw") || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v", err)
	}
}

func TestProblemOfAnotherCheckStandsAtItsRule(t *testing.T) {
	g := decode(t, "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up}\n")[0]
	p := ProblemIn(&g, 0, errors.New("no such function"))
	p.Hint = "mind the case"
	if got, want := p.Error(), `r.yml:4: group "g": rule "A": no such function (mind the case)`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
