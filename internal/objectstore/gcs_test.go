package objectstore

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/VictoriaMetrics/metrics"
	"github.com/google/go-cmp/cmp"

	"tocsin/config"
)

// gcsServer answers as the JSON API does, with pages of two objects.
type gcsServer struct {
	*server
	objects map[string]string // by name
	names   []string          // in order
	token   string            // that requests must have; "" is none
}

func startGCS(t *testing.T, token string, names ...string) *gcsServer {
	t.Helper()
	g := &gcsServer{objects: map[string]string{}, names: names, token: token}
	for _, name := range names {
		g.objects[name] = "content of " + name
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /storage/v1/b/{bucket}/o", g.list)
	mux.HandleFunc("GET /storage/v1/b/{bucket}/o/{name}", g.get)
	g.server = serve(t, g.guarded(mux))
	return g
}

func (g *gcsServer) guarded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.token != "" && r.Header.Get("Authorization") != "Bearer "+g.token {
			w.WriteHeader(401)
			_, _ = io.WriteString(w, `{"error":{"code":401,"message":"hidden-message","errors":[{"reason":"authError"}]}}`)
			return
		}
		h.ServeHTTP(w, r)
	})
}

func (g *gcsServer) list(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("bucket") != "rules" {
		w.WriteHeader(404)
		_, _ = io.WriteString(w, `{"error":{"code":404,"errors":[{"reason":"notFound"}]}}`)
		return
	}
	start := 0
	_, _ = fmt.Sscan(r.FormValue("pageToken"), &start)
	var page struct {
		Items         []map[string]string `json:"items,omitempty"`
		NextPageToken string              `json:"nextPageToken,omitempty"`
	}
	for i, name := range g.names[start:] {
		if !strings.HasPrefix(name, r.FormValue("prefix")) {
			continue
		}
		if len(page.Items) == 2 {
			page.NextPageToken = fmt.Sprint(start + i)
			break
		}
		page.Items = append(page.Items, map[string]string{"name": name, "generation": "7", "size": fmt.Sprint(len(g.objects[name]))})
	}
	_ = json.NewEncoder(w).Encode(page)
}

func (g *gcsServer) get(w http.ResponseWriter, r *http.Request) {
	content, found := g.objects[r.PathValue("name")]
	switch {
	case r.FormValue("alt") != "media":
		w.WriteHeader(400)
	case !found:
		w.WriteHeader(404)
		_, _ = io.WriteString(w, "No such object: rules/"+r.PathValue("name"))
	case r.FormValue("ifGenerationNotMatch") == "7":
		w.WriteHeader(304)
	default:
		w.Header().Set("X-Goog-Generation", "7")
		_, _ = io.WriteString(w, content)
	}
}

// emulated is the environment that makes g the storage.
func (g *gcsServer) emulated() map[string]string {
	return map[string]string{"STORAGE_EMULATOR_HOST": strings.TrimPrefix(g.URL, "http://")}
}

func TestGoogleListingGoesOnOverPages(t *testing.T) {
	g := startGCS(t, "", "dir/a.yml", "dir/b.yml", "dir/c.yml", "dir/d.yml", "dir/e.yml", "other.yml")
	c := client(t, "", g.emulated())
	if diff := cmp.Diff(g.names[:5], listed(t, c, "gs://rules/dir/")); diff != "" {
		t.Error(diff)
	}
	objects, err := c.List(within(t), location(t, "gcs://rules/other"))
	if want := (config.Object{Key: "other.yml", Version: "7", Size: 20}); err != nil || len(objects) != 1 || objects[0] != want {
		t.Errorf("got %v, %v", objects, err)
	}
}

func TestGoogleObjectsOfAnyNameAreRead(t *testing.T) {
	names := []string{"a b.yml", "d/e.yml", "a+b&c=d.yml", "100%.yml", "who?.yml", "ü.yml", "x//y.yml"}
	g := startGCS(t, "", names...)
	c := client(t, "", g.emulated())
	for _, name := range names {
		if got, version := read(t, c, "gs://rules/"+name); got != "content of "+name || version != "7" {
			t.Errorf("%s has %q, version %q", name, got, version)
		}
	}
}

func TestKnownGenerationIsNotReadAgain(t *testing.T) {
	g := startGCS(t, "", "a.yml")
	_, _, err := client(t, "", g.emulated()).Read(within(t), location(t, "gs://rules/a.yml"), "7", 0)
	if !errors.Is(err, config.ErrUnchanged) {
		t.Errorf("got %v", err)
	}
}

func TestGoogleObjectThatIsGoneIsToldFromOtherErrors(t *testing.T) {
	g := startGCS(t, "", "a.yml")
	c := client(t, "", g.emulated())
	if _, _, err := c.Read(within(t), location(t, "gs://rules/gone.yml"), "", 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	_, err := c.List(within(t), location(t, "gs://nobody/"))
	if err == nil || err.Error() != "the store answered 404 Not Found, notFound" {
		t.Errorf("got %v", err)
	}
}

func TestGoogleRefusalIsTold(t *testing.T) {
	g := startGCS(t, "some-token", "a.yml")
	_, err := client(t, "", g.emulated()).List(within(t), location(t, "gs://rules/"))
	if err == nil || err.Error() != "the store answered 401 Unauthorized, authError" {
		t.Errorf("got %v", err)
	}
}

func TestThrottledGoogleRequestIsRepeated(t *testing.T) {
	s := scripted(t,
		refuse(503, ""), give(`{"items":[{"name":"a.yml","size":"?"}]}`),
		give("not JSON"))
	c := client(t, "", map[string]string{"STORAGE_EMULATOR_HOST": s.URL})
	if diff := cmp.Diff([]string{"a.yml"}, listed(t, c, "gs://rules/")); diff != "" {
		t.Error(diff)
	}
	if _, err := c.List(within(t), location(t, "gs://rules/")); err == nil || err.Error() != "the listing cannot be read: is this Google Cloud Storage?" {
		t.Errorf("got %v", err)
	}
}

// toServer sends every request to one server, whatever its host.
type toServer struct {
	host      string
	transport http.RoundTripper
	hosts     atomic.Pointer[string] // the last host that was meant
}

func (s *toServer) RoundTrip(req *http.Request) (*http.Response, error) {
	meant := req.URL.Host
	s.hosts.Store(&meant)
	out := req.Clone(req.Context())
	out.URL.Scheme, out.URL.Host = "http", s.host
	return s.transport.RoundTrip(out)
}

// keyFile writes the JSON of a service account that gets its tokens at tokenURL.
func keyFile(t *testing.T, tokenURL, domain string) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "rules@example.com", "token_uri": tokenURL, "universe_domain": domain,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})),
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// tokens is a token endpoint that gives out token-1, token-2 and so on.
func tokens(t *testing.T, lifetime int) *server {
	t.Helper()
	var n atomic.Int32
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.FormValue("assertion") == "" {
			http.Error(w, "hidden-reason", 400)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":%d}`, n.Add(1), lifetime)
	}))
}

func TestServiceAccountGetsATokenOnce(t *testing.T) {
	endpoint, g := tokens(t, 3600), startGCS(t, "token-1", "a.yml")
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	to := &toServer{host: strings.TrimPrefix(g.URL, "http://"), transport: transport}
	path := keyFile(t, endpoint.URL, "")
	c := clientOf(t, Options{
		CredentialsFile: path, Env: func(string) string { return "" },
		Transport: split{endpoint.URL: transport, "": to},
	})
	listed(t, c, "gs://rules/")
	read(t, c, "gs://rules/a.yml")
	if n := len(endpoint.got()); n != 1 {
		t.Errorf("%d tokens were asked for", n)
	}
	if got := *to.hosts.Load(); got != "storage.googleapis.com" {
		t.Errorf("asked at %s", got)
	}
}

// split sends requests that begin with an address by the transport of that.
type split map[string]http.RoundTripper

func (s split) RoundTrip(req *http.Request) (*http.Response, error) {
	for address, t := range s {
		if address != "" && strings.HasPrefix(req.URL.String(), address) {
			return t.RoundTrip(req)
		}
	}
	return s[""].RoundTrip(req)
}

func TestRefusedTokenIsRenewedOnce(t *testing.T) {
	endpoint, g := tokens(t, 3600), startGCS(t, "token-2", "a.yml")
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	set := metrics.NewSet()
	c := clientOf(t, Options{
		CredentialsFile: keyFile(t, endpoint.URL, "example.com"), Env: func(string) string { return "" }, Metrics: set,
		Transport: split{endpoint.URL: transport, "": &toServer{host: strings.TrimPrefix(g.URL, "http://"), transport: transport}},
	})
	listed(t, c, "gs://rules/")
	if n := counted(set, "credential_renewals", "gs"); n != 1 {
		t.Errorf("%d renewals are counted", n)
	}
	g.token = "nobody has this"
	if _, err := c.List(within(t), location(t, "gs://rules/")); err == nil || err.Error() != "the store answered 401 Unauthorized, authError" {
		t.Errorf("got %v", err)
	}
}

func TestTokenThatExpiresSoonIsRenewed(t *testing.T) {
	endpoint := tokens(t, 60)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	g := startGCS(t, "", "a.yml")
	c := clientOf(t, Options{
		CredentialsFile: keyFile(t, endpoint.URL, ""), Env: func(string) string { return "" },
		Transport: split{endpoint.URL: transport, "": &toServer{host: strings.TrimPrefix(g.URL, "http://"), transport: transport}},
	})
	listed(t, c, "gs://rules/")
	listed(t, c, "gs://rules/")
	if n := len(endpoint.got()); n != 2 {
		t.Errorf("%d tokens were asked for", n)
	}
	endpoint.Close()
	listed(t, c, "gs://rules/") // the last one is still good
}

func TestRefusedTokenRequestIsToldWithoutSecrets(t *testing.T) {
	endpoint := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(400)
		_, _ = io.WriteString(w, `{"error":"invalid_grant","error_description":"hidden-reason"}`)
	}))
	c := clientOf(t, Options{CredentialsFile: keyFile(t, endpoint.URL, ""), Env: func(string) string { return "" }})
	_, err := c.List(within(t), location(t, "gs://rules/"))
	if want := "get a token of Google: refused, 400 Bad Request, invalid_grant"; err == nil || err.Error() != want {
		t.Errorf(" got %v\nwant %s", err, want)
	}
}

func TestMachineGivesAToken(t *testing.T) {
	var flavor atomic.Pointer[string]
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := r.Header.Get("Metadata-Flavor")
		flavor.Store(&f)
		_, _ = io.WriteString(w, `{"access_token":"of-the-machine","expires_in":3600,"token_type":"Bearer"}`)
	}))
	t.Cleanup(endpoint.Close)
	g := startGCS(t, "of-the-machine", "a.yml")
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	env := map[string]string{"GCE_METADATA_HOST": strings.TrimPrefix(endpoint.URL, "http://")}
	c := clientOf(t, Options{
		Env:       func(name string) string { return env[name] },
		Transport: &toServer{host: strings.TrimPrefix(g.URL, "http://"), transport: transport},
	})
	listed(t, c, "gs://rules/")
	if got := *flavor.Load(); got != "Google" {
		t.Errorf("asked with flavor %q", got)
	}
}

func TestBadKeyFilesAreTold(t *testing.T) {
	dir := t.TempDir()
	bad, unknown := filepath.Join(dir, "bad.json"), filepath.Join(dir, "unknown.json")
	for path, text := range map[string]string{bad: "[default]", unknown: `{"type":"horse"}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const unusable = "get a token of Google: the credentials file is not the JSON of a service account or another kind of credentials"
	for path, want := range map[string]string{
		bad: unusable, unknown: unusable,
		dir:                           "get a token of Google: the credentials file is not a regular file of at most 1048576 bytes",
		filepath.Join(dir, "missing"): "get a token of Google: read the credentials file: stat " + filepath.Join(dir, "missing") + ": no such file or directory",
	} {
		env := map[string]string{"GOOGLE_APPLICATION_CREDENTIALS": path}
		_, err := client(t, "", env).List(within(t), location(t, "gs://rules/"))
		if err == nil || err.Error() != want {
			t.Errorf(" got %v\nwant %s", err, want)
		}
	}
}

func FuzzGCSPage(f *testing.F) {
	f.Add([]byte(`{"items":[{"name":"a","generation":"1","size":"3"}],"nextPageToken":"x"}`))
	f.Add([]byte(`{"items":[{"size":"-9"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		page, err := parseGCSPage(data)
		if err != nil {
			return
		}
		for _, o := range page.appendTo(nil) {
			if o.Size < 0 {
				t.Errorf("%+v has a negative size", o)
			}
		}
	})
}
