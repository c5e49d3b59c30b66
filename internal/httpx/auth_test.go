package httpx

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// write puts text into a fresh or existing file and returns its name.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sent returns the request as o would send it.
func sent(t *testing.T, tr *Transport) (*http.Request, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://endpoint/", nil)
	if err != nil {
		t.Fatal(err)
	}
	return tr.dressed(req)
}

func mustTransport(t *testing.T, o ClientOptions) *Transport {
	t.Helper()
	tr, err := o.RoundTripper(nil)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func wantAuthorization(t *testing.T, tr *Transport, want string) {
	t.Helper()
	req, err := sent(t, tr)
	if err != nil {
		t.Fatal(err)
	}
	if got := req.Header.Get("Authorization"); got != want {
		t.Errorf("Authorization = %q, want %q", got, want)
	}
}

func TestStaticCredentials(t *testing.T) {
	wantAuthorization(t, mustTransport(t, ClientOptions{}), "")
	wantAuthorization(t, mustTransport(t, ClientOptions{BearerToken: "tok"}), "Bearer tok")
	wantAuthorization(t, mustTransport(t, ClientOptions{BasicAuth: BasicAuth{Username: "me", Password: "pw:x"}}), "Basic bWU6cHc6eA==")
}

func TestUsernameAndPasswordFilesAreReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		tr := mustTransport(t, ClientOptions{BasicAuth: BasicAuth{
			UsernameFile: write(t, dir, "user", "me\n"),
			PasswordFile: write(t, dir, "pass", "one\n"),
		}})
		wantAuthorization(t, tr, basicValue("me", "one"))

		write(t, dir, "user", "you")
		write(t, dir, "pass", "two")
		time.Sleep(fileAge)
		wantAuthorization(t, tr, basicValue("you", "two"))
	})
}

func TestUnreadableAuthFileFailsRequestsUntilItIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		path := write(t, dir, "token", "one")
		tr := mustTransport(t, ClientOptions{BearerTokenFile: path})
		wantAuthorization(t, tr, "Bearer one")

		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		time.Sleep(fileAge)
		if req, err := sent(t, tr); err == nil {
			t.Errorf("request goes out with Authorization %q", req.Header.Get("Authorization"))
		}
		write(t, dir, "token", "two")
		time.Sleep(fileAge)
		wantAuthorization(t, tr, "Bearer two")
	})
}

func TestUnauthorizedRequestIsNeverSent(t *testing.T) {
	var hits atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer server.Close()
	path := write(t, t.TempDir(), "token", "one")
	tr := mustTransport(t, ClientOptions{BearerTokenFile: path})
	defer tr.Close()
	write(t, filepath.Dir(path), "token", " \n")
	tr.auth.(*credentials).file.readAt = time.Time{}

	body := &closeSpy{Reader: strings.NewReader("x")}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tr.RoundTrip(req); err == nil || !strings.Contains(err.Error(), "bearer token") {
		t.Errorf("err = %v", err)
	}
	if hits.Load() != 0 || !body.closed {
		t.Errorf("hits = %d, body closed = %v", hits.Load(), body.closed)
	}
}

type closeSpy struct {
	*strings.Reader
	closed bool
}

func (c *closeSpy) Close() error { c.closed = true; return nil }

func TestContradictoryOrUnusableCredentialsAreRefused(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	empty := write(t, t.TempDir(), "empty", "\n")
	oauth := OAuth2{ClientID: "id", ClientSecret: "hunter2", TokenURL: "http://tokens/"}
	without := func(change func(*OAuth2)) ClientOptions {
		o := oauth
		change(&o)
		return ClientOptions{OAuth2: o}
	}
	for name, o := range map[string]ClientOptions{
		"basic and bearer":        {BasicAuth: BasicAuth{Username: "u"}, BearerToken: "hunter2"},
		"basic and bearer file":   {BasicAuth: BasicAuth{Username: "u"}, BearerTokenFile: empty},
		"oauth2 and bearer":       {OAuth2: oauth, BearerToken: "hunter2"},
		"oauth2 and basic":        {OAuth2: oauth, BasicAuth: BasicAuth{Username: "u"}},
		"password file missing":   {BasicAuth: BasicAuth{Username: "u", PasswordFile: missing}},
		"user file empty":         {BasicAuth: BasicAuth{UsernameFile: empty}},
		"token file missing":      {BearerTokenFile: missing},
		"token file is a folder":  {BearerTokenFile: filepath.Dir(missing)},
		"client secret missing":   without(func(o *OAuth2) { o.ClientSecret = "" }),
		"client secret file gone": without(func(o *OAuth2) { o.ClientSecretFile = missing }),
		"client ID missing":       without(func(o *OAuth2) { o.ClientID = "" }),
		"token URL missing":       without(func(o *OAuth2) { o.TokenURL = "" }),
		"token URL relative":      without(func(o *OAuth2) { o.TokenURL = "tokens" }),
		"bad header":              {Headers: []string{"nonsense hunter2"}},
	} {
		if _, err := o.RoundTripper(nil); err == nil {
			t.Errorf("%s: taken", name)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: error shows the secret: %v", name, err)
		}
	}
}

// tokenServer is a token endpoint that gives out "for-<client secret>" for a
// minute and takes the secrets in accept.
type tokenServer struct {
	*httptest.Server
	grants atomic.Int32
	accept atomic.Pointer[string]
}

func newTokenServer(t *testing.T, secret string) *tokenServer {
	s := &tokenServer{}
	s.accept.Store(&secret)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		if id != "id" || secret != *s.accept.Load() || r.FormValue("grant_type") != "client_credentials" ||
			r.FormValue("scope") != "read write" || r.FormValue("audience") != "metrics" {
			http.Error(w, `{"error":"invalid_client","echo":"`+secret+`"}`, http.StatusUnauthorized)
			return
		}
		s.grants.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "for-" + secret, "token_type": "bearer", "expires_in": 60})
	}))
	t.Cleanup(s.Close)
	return s
}

func TestOAuth2TokenIsKeptAndFollowsTheSecretFile(t *testing.T) {
	server := newTokenServer(t, "one")
	dir := t.TempDir()
	tr := mustTransport(t, ClientOptions{OAuth2: OAuth2{
		ClientID: "id", ClientSecretFile: write(t, dir, "secret", "one"), TokenURL: server.URL,
		Scopes: []string{"read", "write"}, EndpointParams: map[string]string{"audience": "metrics"},
	}})
	defer tr.Close()
	wantAuthorization(t, tr, "Bearer for-one")
	wantAuthorization(t, tr, "Bearer for-one")
	if n := server.grants.Load(); n != 1 {
		t.Errorf("asked for a token %d times, want once", n)
	}

	two := "two"
	server.accept.Store(&two)
	write(t, dir, "secret", "two")
	tr.auth.(*tokenSource).secretFile.readAt = time.Time{}
	wantAuthorization(t, tr, "Bearer for-two")

	tr.auth.(*tokenSource).token.Expiry = time.Now()
	wantAuthorization(t, tr, "Bearer for-two")
	if n := server.grants.Load(); n != 3 {
		t.Errorf("asked for a token %d times, want 3", n)
	}
}

func TestOAuth2RefusalFailsTheRequestWithoutTheSecret(t *testing.T) {
	server := newTokenServer(t, "right")
	tr := mustTransport(t, ClientOptions{OAuth2: OAuth2{
		ClientID: "id", ClientSecret: "hunter2", TokenURL: server.URL + "/?k=hunter2",
	}})
	defer tr.Close()
	_, err := sent(t, tr)
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "401") {
		t.Errorf("err = %v", err)
	}
}

func TestWaitingForATokenEndsWithTheRequest(t *testing.T) {
	tr := mustTransport(t, ClientOptions{OAuth2: OAuth2{ClientID: "id", ClientSecret: "s", TokenURL: "http://127.0.0.1:1/"}})
	tr.auth.(*tokenSource).turn <- struct{}{} // another request is fetching
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tr.auth.authorization(ctx); err == nil || !strings.Contains(err.Error(), "wait for an OAuth2 token") {
		t.Errorf("err = %v", err)
	}
}
