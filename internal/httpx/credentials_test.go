package httpx

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAuthorizationOfAnyType(t *testing.T) {
	wantAuthorization(t, mustTransport(t, ClientOptions{Authorization: Authorization{Credentials: "abc"}}), "Bearer abc")
	wantAuthorization(t, mustTransport(t, ClientOptions{Authorization: Authorization{Type: "Token", Credentials: "abc"}}), "Token abc")
}

func TestAuthorizationFileIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		path := write(t, dir, "credentials", "one\n")
		tr := mustTransport(t, ClientOptions{Authorization: Authorization{Type: "Token", CredentialsFile: path}})
		wantAuthorization(t, tr, "Token one")
		write(t, dir, "credentials", "two")
		time.Sleep(fileAge)
		wantAuthorization(t, tr, "Token two")
	})
}

func TestOptionsThatContradictThemselvesAreFoundWithoutFiles(t *testing.T) {
	oauth := OAuth2{ClientID: "id", ClientSecret: "hunter2", TokenURL: "http://tokens/"}
	with := func(change func(*OAuth2)) ClientOptions {
		o := oauth
		change(&o)
		return ClientOptions{OAuth2: o}
	}
	for want, o := range map[string]ClientOptions{
		"basic auth, bearer token, authorization and OAuth2 exclude one another": {BearerToken: "hunter2", Authorization: Authorization{Credentials: "hunter2"}},
		"authorization has no credentials":                                       {Authorization: Authorization{Type: "Token"}},
		"authorization has credentials and a file with them":                     {Authorization: Authorization{Credentials: "hunter2", CredentialsFile: "f"}},
		"authorization has an invalid type":                                      {Authorization: Authorization{Type: "a b", Credentials: "hunter2"}},
		"TLS certificate and key must be given together":                         {TLS: TLS{Key: "hunter2"}},
		"TLS CA is given as text and as a file":                                  {TLS: TLS{CA: "c", CAFile: "f"}},
		"TLS certificate is given as text and as a file":                         {TLS: TLS{Cert: "c", CertFile: "f", Key: "hunter2"}},
		"TLS key is given as text and as a file":                                 {TLS: TLS{Cert: "c", Key: "hunter2", KeyFile: "f"}},
		"TLS minimum version is not one from 1.0 to 1.3":                         {TLS: TLS{MinVersion: 1}},
		"proxy URL is not valid":                                                 {Routing: Routing{ProxyURL: "http://u:hunter2@%zz"}},
		"proxy URL has no host":                                                  {Routing: Routing{ProxyURL: "http://:80"}},
		"proxy URL must begin with http://, https://, socks5:// or socks5h://":   {Routing: Routing{ProxyURL: "ftp://hunter2"}},
		"proxy has a user but no URL":                                            {Routing: Routing{ProxyAuth: BasicAuth{Password: "hunter2"}}},
		`header 1 is not "Name: value"`:                                          {Headers: []string{"hunter2"}},
		"OAuth2: proxy URL has no host":                                          with(func(o *OAuth2) { o.ProxyURL = "http://" }),
		"OAuth2: TLS certificate and key must be given together":                 with(func(o *OAuth2) { o.TLS = &TLS{CertFile: "f"} }),
		`OAuth2: header 1 is not "Name: value"`:                                  with(func(o *OAuth2) { o.Headers = []string{"hunter2"} }),
	} {
		if err := o.Validate(); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if _, err := o.RoundTripper(nil); err == nil || err.Error() != want {
			t.Errorf("RoundTripper: got %v, want %s", err, want)
		}
	}
	unread := ClientOptions{BearerTokenFile: "/no/such/file", TLS: TLS{CAFile: "/no/such/file", MinVersion: 0}}
	if err := unread.Validate(); err != nil {
		t.Errorf("a file was looked for: %v", err)
	}
}

// answering serves what text holds at the time; nothing is a failure.
func answering(t *testing.T, text *atomic.Value) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if s := text.Load().(string); s != "" {
			_, _ = w.Write([]byte(s))
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(server.Close)
	return server
}

func TestFileMayBeAtAURL(t *testing.T) {
	var text atomic.Value
	text.Store("one\n")
	server := answering(t, &text)
	tr := mustTransport(t, ClientOptions{BearerTokenFile: server.URL + "/?key=hunter2"})
	wantAuthorization(t, tr, "Bearer one")

	read := func() (string, error) {
		token := tr.auth.(*credentials).file
		token.readAt = time.Time{}
		return token.get(t.Context())
	}
	text.Store("two")
	if got, err := read(); got != "two" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for _, answer := range []string{"", " \n", strings.Repeat("x", maxFileSize+1)} {
		text.Store(answer)
		if got, err := read(); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%d bytes answered: %.20q, %v", len(answer), got, err)
		}
	}
	server.Close()
	if _, err := read(); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("server away: %v", err)
	}
}
