package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// write puts content into a new file and returns its path.
func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestClientSecretsFromFilesAreReadAgainLater(t *testing.T) {
	o := mustParse(t,
		"-datasource.basicAuth.username=u", "-datasource.basicAuth.password=file:///run/secret/password",
		"-remoteRead.bearerToken=file://./token",
		"-remoteWrite.url=http://vm", "-remoteWrite.oauth2.clientID=i", "-remoteWrite.oauth2.tokenUrl=http://idp", "-remoteWrite.oauth2.clientSecret=file:///run/secret/client",
		"-notifier.url=http://a,http://b", "-notifier.bearerToken=file:///t1,plain",
	)
	got := []string{
		o.Datasource.Client.BasicAuth.PasswordFile, string(o.Datasource.Client.BasicAuth.Password),
		o.RemoteRead.Client.BearerTokenFile,
		o.RemoteWrite.Targets[0].Client.OAuth2.ClientSecretFile,
		o.Notifier.Targets[0].Client.BearerTokenFile, string(o.Notifier.Targets[1].Client.BearerToken),
	}
	want := []string{"/run/secret/password", "", "./token", "/run/secret/client", "/t1", "plain"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
}

func TestSecretsAreReadAtStart(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("from-url\n"))
	}))
	defer server.Close()
	o := mustParse(t,
		"-httpAuth.username=u", "-httpAuth.password=file://"+write(t, " from-file \n\n"),
		"-reloadAuthKey="+server.URL, "-metricsAuthKey=plain",
		"-datasource.bearerToken="+server.URL+"/token",
	)
	if err := readSecrets(t.Context(), &o, http.DefaultTransport); err != nil {
		t.Fatal(err)
	}
	got := []string{
		string(o.HTTP.AuthPassword), string(o.HTTP.ReloadAuthKey), string(o.HTTP.MetricsAuthKey),
		string(o.HTTP.FlagsAuthKey), string(o.Datasource.Client.BearerToken),
	}
	want := []string{" from-file", "from-url", "plain", "", "from-url"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
}

func TestUnreadableSecretsAreAllReported(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/forbidden":
			http.Error(w, "no", http.StatusForbidden)
		case "/huge":
			w.Write(make([]byte, 64<<10+1))
		}
	}))
	defer server.Close()
	o := mustParse(t,
		"-httpAuth.username=u", "-httpAuth.password=file:///nowhere/at/all",
		"-reloadAuthKey=file://"+write(t, "\n"), "-metricsAuthKey="+server.URL+"/forbidden?key=hunter2",
		"-flagsAuthKey="+server.URL+"/huge", "-pprofAuthKey=http://u:hunter2@",
	)
	err := readSecrets(t.Context(), &o, http.DefaultTransport)
	if err == nil {
		t.Fatal("no error")
	}
	want := []string{
		"read the secret for -httpAuth.password: open /nowhere/at/all: no such file or directory",
		"read the secret for -reloadAuthKey: there is nothing in it",
		"read the secret for -metricsAuthKey: its URL answered 403",
		"read the secret for -flagsAuthKey: its URL answered more than 65536 bytes",
		"read the secret for -pprofAuthKey: URL has no host",
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}
