package httpx

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// newProxy answers requests for other hosts itself, with the host they are for and
// the credentials that came with them.
func newProxy(t *testing.T) *httptest.Server {
	t.Helper()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Header.Get("Proxy-Authorization"), "Basic "))
		_, _ = w.Write([]byte(r.URL.Host + " by " + string(user)))
	}))
	t.Cleanup(proxy.Close)
	return proxy
}

func TestRequestsGoThroughTheProxy(t *testing.T) {
	proxy := newProxy(t)
	address := strings.Replace(proxy.URL, "http://", "http://me:pw@", 1)
	for _, many := range []bool{false, true} {
		tr := mustTransport(t, ClientOptions{ManySmall: many, Routing: Routing{ProxyURL: Secret(address)}})
		if got, err := ask(t, tr, "http://am.invalid:9093/"); err != nil || got != "am.invalid:9093 by me:pw" {
			t.Errorf("%q, %v", got, err)
		}
		tr.Close()
	}
}

func TestUserOfTheProxyIsReadFromItsFiles(t *testing.T) {
	proxy := newProxy(t)
	password := write(t, t.TempDir(), "password", "pw\n")
	tr := mustTransport(t, ClientOptions{Routing: Routing{
		ProxyURL: Secret(proxy.URL), ProxyAuth: BasicAuth{Username: "me", PasswordFile: password},
	}})
	defer tr.Close()
	if got, err := ask(t, tr, "http://am.invalid:9093/"); err != nil || got != "am.invalid:9093 by me:pw" {
		t.Errorf("%q, %v", got, err)
	}
	gone := mustTransport(t, ClientOptions{Routing: Routing{
		ProxyURL: Secret(proxy.URL), ProxyAuth: BasicAuth{Username: "me", PasswordFile: password + ".gone"},
	}})
	defer gone.Close()
	if _, err := ask(t, gone, "http://am.invalid:9093/"); err == nil || !strings.Contains(err.Error(), "proxy: basic auth password") {
		t.Errorf("err = %v", err)
	}
}

func TestRedirectsAreNotFollowedIfSo(t *testing.T) {
	hits := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits++
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/end", http.StatusTemporaryRedirect)
		}
	}))
	defer server.Close()
	for stays, want := range map[bool]int{true: 1, false: 2} {
		hits = 0
		tr := mustTransport(t, ClientOptions{Routing: Routing{NoRedirects: stays}})
		resp, err := (&http.Client{Transport: tr}).Post(server.URL, "text/plain", strings.NewReader("x"))
		if err == nil {
			resp.Body.Close()
		}
		if (err != nil) != stays || hits != want {
			t.Errorf("stays %v: %d requests, %v", stays, hits, err)
		}
		tr.Close()
	}
}

// grantTo makes a request of which the credentials come from a token endpoint.
func grantTo(t *testing.T, o ClientOptions) error {
	t.Helper()
	tr, err := o.RoundTripper(nil)
	if err != nil {
		return err
	}
	defer tr.Close()
	_, err = sent(t, tr)
	return err
}

// newTokens is a token endpoint that wants a header.
func newTokens(t *testing.T, p pair) *httptest.Server {
	t.Helper()
	server := newTLSServer(t, p)
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Tenant") != "7" || r.Header.Get("X-For") != "" {
			http.Error(w, "{}", http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"t","token_type":"bearer"}`))
	})
	return server
}

func TestTokensHaveTLSAndHeadersOfTheirOwn(t *testing.T) {
	p := newPair(t, "tokens")
	tokens := newTokens(t, p)
	o := ClientOptions{
		Headers: []string{"X-For: the endpoint"},
		OAuth2: OAuth2{
			ClientID: "id", ClientSecret: "s", TokenURL: tokens.URL,
			TLS: &TLS{CA: p.cert}, Headers: []string{"X-Tenant: 7"},
		},
	}
	if err := grantTo(t, o); err != nil {
		t.Error(err)
	}
	o.TLS, o.OAuth2.TLS = *o.OAuth2.TLS, &TLS{}
	if err := grantTo(t, o); err == nil {
		t.Error("the endpoint's authority is trusted for tokens")
	}
	o.OAuth2.TLS = nil
	if err := grantTo(t, o); err != nil {
		t.Errorf("the endpoint's way is not taken where there is none for tokens: %v", err)
	}
	o.OAuth2.Headers = nil
	if err := grantTo(t, o); err == nil {
		t.Error("a token is granted without the header")
	}
	o.OAuth2.TLS = &TLS{CAFile: "/no/such/file"}
	if err := grantTo(t, o); err == nil || !strings.Contains(err.Error(), "OAuth2: TLS CA") {
		t.Errorf("missing file: %v", err)
	}
}

func TestTokensGoThroughAProxyOfTheirOwn(t *testing.T) {
	var asked string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Host
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"t","token_type":"bearer"}`))
	}))
	defer proxy.Close()
	o := ClientOptions{OAuth2: OAuth2{
		ClientID: "id", ClientSecret: "s", TokenURL: "http://tokens.invalid/", ProxyURL: Secret(proxy.URL),
	}}
	if err := grantTo(t, o); err != nil || asked != "tokens.invalid" {
		t.Errorf("asked %q, %v", asked, err)
	}
}
