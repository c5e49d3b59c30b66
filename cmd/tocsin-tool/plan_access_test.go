package main

import (
	"context"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tocsin/internal/web"
)

func TestPlanIsLetInByTheFlagsOfTheDaemon(t *testing.T) {
	const user, password, key = "ann", "pw with spaces", "k&y="
	dir := t.TempDir()
	passwordFile, keyFile := filepath.Join(dir, "password"), filepath.Join(dir, "key")
	for path, text := range map[string]string{passwordFile: password + "\n", keyFile: key + " \r\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	keyURL := serve(t, answering(200, key+"\n"))
	t.Setenv("TOCSIN_TEST_KEY", key)

	withUser := strings.TrimPrefix(serve(t, daemonOf(web.Plan{}, "/pre/fix", web.Auth{Username: user, Password: password})), "http://")
	withKey := strings.TrimPrefix(serve(t, daemonOf(web.Plan{}, "", web.Auth{Username: user, Password: password, ReloadKey: key})), "http://")
	for _, args := range [][]string{
		{"-httpListenAddr=" + withUser, "-http.pathPrefix=pre/fix", "-httpAuth.username=ann", "-httpAuth.password", password},
		{"-httpListenAddr", withUser, "-http.pathPrefix=/pre/fix/", "-httpAuth.username", "ann", "-httpAuth.password=file://" + passwordFile},
		{"-url=http://" + withUser + "/pre/fix", "-httpAuth.username=ann", "-httpAuth.password=" + password},
		{"--url=http://ann:pw%20with%20spaces@" + withUser + "/pre/fix/"},
		{"--url=http://ann:pw%20with%20spaces@" + withUser + "/pre/fix/", "-httpAuth.username=bob", "-httpAuth.password=x"},
		{"-httpListenAddr=" + withKey, "-reloadAuthKey=" + key},
		{"-httpListenAddr=" + withKey, "-reloadAuthKey=file://" + keyFile, "-httpAuth.username=bob", "-httpAuth.password=x"},
		{"-httpListenAddr=" + withKey, "-reloadAuthKey=" + keyURL + "/key?token=x"},
		{"-httpListenAddr=" + withKey, "-reloadAuthKey", "%{TOCSIN_TEST_KEY}"},
		{"--url=http://" + withKey + "?authKey=k%26y%3D"},
	} {
		code, stdout, stderr := runTool(append([]string{"plan"}, args...)...)
		if code != exitOK || !strings.HasPrefix(stdout, "Nothing would change.") || stderr != "" {
			t.Errorf("%q: exit code %d, %s%s", args, code, stdout, stderr)
		}
	}
	for _, args := range [][]string{
		{"-httpListenAddr=" + withUser, "-http.pathPrefix=pre/fix"},
		{"-httpListenAddr=" + withUser, "-http.pathPrefix=pre/fix", "-httpAuth.username=ann", "-httpAuth.password=hunter2"},
		{"-httpListenAddr=" + withKey, "-reloadAuthKey=hunter2"},
		{"-httpListenAddr=" + withKey, "-httpAuth.username=ann", "-httpAuth.password=" + password},
	} {
		code, stdout, stderr := runTool(append([]string{"plan"}, args...)...)
		if code != exitError || stdout != "" || !strings.Contains(stderr, "it answered 401; it wants the key of -reloadAuthKey or") {
			t.Errorf("%q: exit code %d, %s%s", args, code, stdout, stderr)
		}
	}
}

func TestPlanIsAskedByTLS(t *testing.T) {
	s := httptest.NewTLSServer(daemonOf(web.Plan{}, "", web.Auth{}))
	defer s.Close()
	listen := "-httpListenAddr=" + s.Listener.Addr().String()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, trust := range []string{"--tlsInsecureSkipVerify", "--tlsCAFile=" + ca} {
		if code, stdout, stderr := runTool("plan", listen, "-tls", "-tlsCertFile", "server.pem", trust); code != exitOK {
			t.Errorf("%s: exit code %d, %s%s", trust, code, stdout, stderr)
		}
	}
	if code, _, stderr := runTool("plan", listen, "-tls"); code != exitError || !strings.Contains(stderr, "certificate") {
		t.Errorf("without trust: exit code %d, %s", code, stderr)
	}
	if code, _, stderr := runTool("plan", "--tlsCAFile=/nonexistent/ca.pem"); code != exitError || !strings.Contains(stderr, "/nonexistent/ca.pem") {
		t.Errorf("without a file: exit code %d, %s", code, stderr)
	}
}

func TestRedirectDoesNotTakeTheKeyElsewhere(t *testing.T) {
	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") })
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
	})
	if code, _, stderr := runTool("plan", "--url", url, "-reloadAuthKey=k"); code != exitError {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

func TestKeyIsNotInTheAddress(t *testing.T) {
	var asked *http.Request
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.Clone(context.Background())
		daemonOf(web.Plan{}, "", web.Auth{ReloadKey: "hunter2"})(w, r)
	})
	if code, _, stderr := runTool("plan", "--url", url, "-reloadAuthKey=hunter2"); code != exitOK {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	if asked.RequestURI != "/-/reload/plan" {
		t.Errorf("asked for %s", asked.RequestURI)
	}
}

func TestSecretsOfTheAddressAreNotPrinted(t *testing.T) {
	s := httptest.NewServer(nil)
	s.Close()
	host := strings.TrimPrefix(s.URL, "http://")
	code, _, stderr := runTool("plan", "--url=http://ann:hunter2@"+host+"?authKey=hunter2")
	if code != exitError || strings.Contains(stderr, "hunter2") || !strings.Contains(stderr, "ask http://xxxxx@"+host+"/-/reload/plan?authKey=xxxxx: ") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

func TestSecretThatCannotBeRead(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte(" \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for secret, want := range map[string]string{
		"file://" + empty:                                                  "there is nothing in it",
		"file:///nonexistent/secret":                                       "open /nonexistent/secret",
		serve(t, answering(404, "")) + "/hunter2":                          "its URL answered 404",
		serve(t, answering(200, strings.Repeat("x", 70_000))) + "/hunter2": "its URL answered more than 65536 bytes",
		"http:///hunter2":                                                  "URL has no host",
	} {
		code, _, stderr := runTool("plan", "-httpAuth.username=ann", "-httpAuth.password="+secret)
		if code != exitError || !strings.Contains(stderr, "read the secret for -httpAuth.password: ") || !strings.Contains(stderr, want) || strings.Contains(stderr, "hunter2") {
			t.Errorf("exit code %d, %s, want %s", code, stderr, want)
		}
	}
}
