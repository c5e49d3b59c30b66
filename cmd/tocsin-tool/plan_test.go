package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tocsin/config"
	"tocsin/internal/web"
	"tocsin/rules"
)

// planAnswer is an answer of the API with everything there can be in one.
const planAnswer = "../../internal/web/testdata/plan.json"

// sameAsFile compares an output with a file in testdata.
func sameAsFile(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(readFile(t, path), got); diff != "" {
		t.Errorf("%s (-file +output)\n%s", name, diff)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// serve returns the address of a server that ends with the test.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// answering answers everything with body.
func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func runTool(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestPlanIsWrittenForAPerson(t *testing.T) {
	code, stdout, stderr := runTool("plan", "--url", serve(t, answering(200, readFile(t, planAnswer))))
	sameAsFile(t, "plan.txt", stdout)
	want := "tocsin-tool: 1 problem; the files that have them would keep what is in force:\n" +
		`c.yml:3: group "c": rule "<x>": bad expr` + "\n"
	if code != exitError || stderr != want {
		t.Errorf("exit code %d, stderr %q, want %q", code, stderr, want)
	}
}

func TestPlanAsJSONIsTheDataAsItCame(t *testing.T) {
	answer := readFile(t, planAnswer)
	var envelope struct{ Data json.RawMessage }
	if err := json.Unmarshal([]byte(answer), &envelope); err != nil {
		t.Fatal(err)
	}
	_, stdout, _ := runTool("plan", "--json", "--url", serve(t, answering(200, answer)))
	if diff := cmp.Diff(string(envelope.Data)+"\n", stdout); diff != "" {
		t.Error(diff)
	}
}

// daemonOf returns a tocsin whose reload would do what p says.
func daemonOf(p web.Plan, prefix string, a web.Auth) http.HandlerFunc {
	return web.New(web.Options{PathPrefix: prefix, Auth: a, Control: web.Control{
		Plan: func(context.Context) (web.Plan, error) { return p, nil },
	}}).ServeHTTP
}

func TestExitCodeSaysWhetherTheFilesAreGood(t *testing.T) {
	changed := rules.Change{Kept: 1, Groups: []rules.GroupChange{{Key: config.Key{File: "f.yml", Name: "g"}, Action: rules.Added}}}
	for _, c := range []struct {
		plan           web.Plan
		code           int
		stdout, stderr string
	}{
		{web.Plan{Change: rules.Change{Kept: 12}}, 0, "Nothing would change. Groups: 12 kept.\n", ""},
		{web.Plan{Change: changed}, 0, "+ group \"g\" (f.yml): added\nGroups: 1 added, 1 kept.\n", ""},
		{
			web.Plan{Change: changed, Problems: []string{"a.yml:1: x", "b.yml:2: y"}}, 1, "+ group \"g\" (f.yml): added\nGroups: 1 added, 1 kept.\n",
			"tocsin-tool: 2 problems; the files that have them would keep what is in force:\na.yml:1: x\nb.yml:2: y\n",
		},
		{
			web.Plan{Change: rules.Change{Refused: true}, Problems: []string{"a.yml:1: x"}}, 1, "Nothing would change.\n",
			"tocsin-tool: 1 problem, so a reload would be refused:\na.yml:1: x\n",
		},
	} {
		code, stdout, stderr := runTool("plan", "--url", serve(t, daemonOf(c.plan, "", web.Auth{})))
		if code != c.code || stdout != c.stdout || stderr != c.stderr {
			t.Errorf("got %d\n%s%s\nwant %d\n%s%s", code, stdout, stderr, c.code, c.stdout, c.stderr)
		}
	}
}

func TestHungDaemonIsNotWaitedForForEver(t *testing.T) {
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	code, stdout, stderr := runTool("plan", "--timeout=50ms", "--url", url)
	want := "tocsin-tool: plan: no plan within --timeout=50ms: ask " + url + "/-/reload/plan: "
	if code != exitError || stdout != "" || !strings.HasPrefix(stderr, want) {
		t.Errorf("exit code %d, %s%s", code, stdout, stderr)
	}
	code, _, stderr = runTool("plan", "--timeout=50ms", "-reloadAuthKey="+url+"/key?hunter2")
	if code != exitError || !strings.HasPrefix(stderr, "tocsin-tool: plan: no plan within --timeout=50ms: read the secret for -reloadAuthKey: ") || strings.Contains(stderr, "hunter2") {
		t.Errorf("with a secret that hangs: exit code %d, %s", code, stderr)
	}
}

func TestDaemonThatIsNotThere(t *testing.T) {
	s := httptest.NewServer(nil)
	s.Close()
	code, _, stderr := runTool("plan", "--url", s.URL)
	if code != exitError || !strings.HasPrefix(stderr, "tocsin-tool: plan: ask "+s.URL+"/-/reload/plan: dial tcp") || strings.Count(stderr, s.URL) != 1 {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

func TestRubbishIsNoPlan(t *testing.T) {
	for _, body := range []string{
		"", "<html><body>hello</body></html>", "null", "{}", "[]", "1",
		`{"status":"success"}`, `{"status":"success","data":null}`, `{"status":"success","data":{}}`, `{"status":"success","data":{"groups":[]}}`,
		`{"status":"success","data":"plan"}`, `{"status":"success","data":{"outcome":"applied","totals":{},"groups":null}}`,
		`{"status":"success","data":{"outcome":"applied","totals":{},"groups":[{"name":1}]}}`,
		`{"status":"error","data":{"outcome":"applied","totals":{},"groups":[]}}`,
		`{"status":"success","data":{"outcome":"applied","totals":{},"groups":[]}} and more`,
		`{"status":"success","data":{"outcome":"applied","tota`,
	} {
		code, stdout, stderr := runTool("plan", "--url", serve(t, answering(200, body)))
		if code != exitError || stdout != "" || !strings.Contains(stderr, "the answer is not a plan") {
			t.Errorf("%s: exit code %d, %s%s", body, code, stdout, stderr)
		}
	}
}

func TestAnswerThatIsCutOff(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`{"status":`))
	})
	code, _, stderr := runTool("plan", "--url", url)
	if code != exitError || !strings.Contains(stderr, "read the answer: unexpected EOF") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		status       int
		header, body string
		want         string
	}{
		{400, "", `unsupported path requested: "/-/reload/plan"`, "it answered 400; it is no daemon that tells plans, or the path"},
		{404, "", "", "it answered 404; it is no daemon that tells plans, or the path"},
		{403, "", "", "it answered 403; it wants the key"},
		{302, "https://ann:hunter2@other/x?token=hunter2", "", "it answered 302 and leads to https://xxxxx@other/x?token=xxxxx; give that address"},
		{500, "", `{"error":"tocsin is shutting down","errorType":500,"status":"error"}`, "it answered 500: tocsin is shutting down\n"},
		{500, "", `{"error":"\u001b[31mno\nhunter2\u0007"}`, "it answered 500:  [31mno\n<secret> \n"},
		{502, "", "<html>hunter2</html>", "it answered 502\n"},
	} {
		url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if c.header != "" {
				w.Header().Set("Location", c.header)
			}
			answering(c.status, c.body)(w, nil)
		})
		code, stdout, stderr := runTool("plan", "--url", url, "-reloadAuthKey=hunter2")
		if code != exitError || stdout != "" || !strings.Contains(stderr, c.want) || strings.Contains(stderr, "hunter2") {
			t.Errorf("%d: exit code %d, %s%s", c.status, code, stdout, stderr)
		}
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestPlanThatCannotBePrintedIsAnError(t *testing.T) {
	url := serve(t, answering(200, readFile(t, planAnswer)))
	for _, format := range []string{"--json=true", "--json=false"} {
		var stderr bytes.Buffer
		if code := run([]string{"plan", format, "--url", url}, brokenWriter{}, &stderr); code != exitError || !strings.Contains(stderr.String(), "print it") {
			t.Errorf("%s: exit code %d, %s", format, code, &stderr)
		}
	}
}
