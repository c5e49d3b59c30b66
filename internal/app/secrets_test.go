package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tocsin/internal/httpx"
)

// secret is planted wherever a password, a token or a key may be.
const secret = "hunter2"

// secretRules has the secret in the headers of its group, whose requests are logged.
const secretRules = `
groups:
- name: servers
  debug: true
  headers: ["X-Auth-Token: hunter2", "Authorization: Bearer hunter2"]
  notifier_headers: ["X-Auth-Token: hunter2"]
  rules:
  - {alert: Down, expr: down, annotations: {summary: "{{ with query \"other\" }}{{ . }}{{ end }}"}}
  - {record: r, expr: requests}
`

// secretURL returns the address of s with the secret in the user and the query.
func secretURL(s *httptest.Server) string {
	return strings.Replace(s.URL, "http://", "http://user:hunter2@", 1) + "?token=hunter2"
}

// secretOptions returns options of a daemon whose rules come from a server of w,
// with a secret everywhere.
func secretOptions(t *testing.T, w *world) (o Options, rules *httptest.Server) {
	t.Helper()
	w.answer("down", map[string]string{"host": "db1"})
	w.answer("requests", map[string]string{"code": "503"})
	rules = w.serve(t, func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte(secretRules)) })
	o = withAlertmanager(withStorage(options(w, secretURL(rules)), w), w)
	o.Datasource.URL = secretURL(w.datasource)
	o.RemoteRead.URL = secretURL(w.datasource)
	o.RemoteWrite.Targets[0].URL = secretURL(w.storage)
	o.Notifier.URLs = []string{secretURL(w.alertmanager)}
	o.Notifier.Targets[0].Client.BasicAuth = httpx.BasicAuth{Username: "user", Password: secret}
	o.RemoteWrite.Targets[0].Client.BearerToken = secret
	o.RemoteRead.Client.BasicAuth = httpx.BasicAuth{Username: "user", Password: secret}
	o.Datasource.Client.Headers = []string{"X-Auth-Token: hunter2", "Cookie: session=hunter2"}
	o.Flags = []Flag{{Name: "httpAuth.username", Value: "user", IsSet: true}}
	o.HTTP.AuthUsername, o.HTTP.AuthPassword = "user", secret
	o.HTTP.MetricsAuthKey, o.HTTP.FlagsAuthKey = secret, secret
	o.HTTP.PprofAuthKey, o.HTTP.ReloadAuthKey = secret, secret
	return o, rules
}

// withPassword adds the password of tocsin's own server to requests.
type withPassword struct{ *http.Transport }

func (p withPassword) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.SetBasicAuth("user", secret)
	return p.Transport.RoundTrip(r)
}

// shownPaths is everything that the daemon shows, and that needs no id.
var shownPaths = []string{
	"/", "/health", "/-/ready", "/-/reload", "/metrics", "/flags", "/debug/pprof/cmdline",
	"/vmalert/groups", "/vmalert/alerts", "/vmalert/notifiers",
	"/api/v1/rules", "/api/v1/rules?extended_states=true", "/api/v1/alerts", "/api/v1/notifiers",
	"/api/v1/alertmanagers", "/api/v1/status/flags", "/api/v1/status/buildinfo",
}

// expectNoSecret checks all that the daemon has shown and logged.
func (d *running) expectNoSecret() {
	d.t.Helper()
	paths := shownPaths
	for _, g := range d.shownIDs() {
		paths = append(paths, g...)
	}
	for _, path := range paths {
		separator := "?"
		if strings.Contains(path, "?") {
			separator = "&"
		}
		code, body := d.get(path + separator + "authKey=" + secret)
		if code == http.StatusUnauthorized || code == http.StatusNotFound || body == "" && path != "/-/reload" {
			d.t.Errorf("%s is not shown: %d %s", path, code, body)
		}
		expectNone(d.t, path, body)
	}
	expectNone(d.t, "the log", d.log.String())
}

func expectNone(t *testing.T, where, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if strings.Contains(line, secret) {
			t.Errorf("the secret is in %s: %.500s", where, line)
		}
	}
}

// shownIDs returns the pages and API paths of each group, rule and alert.
func (d *running) shownIDs() [][]string {
	d.t.Helper()
	var all [][]string
	for _, g := range d.groups() {
		all = append(all, []string{"/vmalert/api/v1/group?group_id=" + g.ID})
		for _, r := range g.Rules {
			ids := "group_id=" + g.ID + "&rule_id=" + r.ID
			all = append(all, []string{"/vmalert/rule?" + ids, "/vmalert/api/v1/rule?" + ids})
			for _, a := range r.Alerts {
				ids := "group_id=" + g.ID + "&alert_id=" + a.ID
				all = append(all, []string{"/vmalert/alert?" + ids, "/vmalert/api/v1/alert?" + ids})
			}
		}
	}
	return all
}

func startSecret(t *testing.T, o Options) *running {
	t.Helper()
	d := start(t, o)
	d.client.Transport = withPassword{d.client.Transport.(*http.Transport)}
	return d
}

func TestSecretsAreNotShownWhenAllIsWell(t *testing.T) {
	w := newWorld(t)
	o, _ := secretOptions(t, w)
	d := startSecret(t, o)
	w.awaitAlert(t, "Down")
	await(t, "results are written", func() bool { return w.hasWritten("requests") || w.hasWritten("503") })
	d.expectNoSecret()
	if err := d.stop(); err != nil {
		t.Errorf("end of the daemon: %v", err)
	}
	expectNone(t, "the log", d.log.String())
}

func TestSecretsAreNotShownWhenServersRefuse(t *testing.T) {
	w := newWorld(t)
	o, rules := secretOptions(t, w)
	o.Notifier.DrainTimeout, o.RemoteWrite.DrainTimeout = 1, 1
	d := startSecret(t, o)
	w.awaitAlert(t, "Down")
	fail := func(s *httptest.Server) {
		w.handle(s, func(rw http.ResponseWriter, _ *http.Request) {
			http.Error(rw, "not today", http.StatusServiceUnavailable)
		})
	}
	d.awaitTrouble(w, rules, fail)
	d.expectNoSecret()
	if err := d.stop(); err != nil {
		expectNone(t, "the error of Run", err.Error())
	}
	expectNone(t, "the log", d.log.String())
}

func TestSecretsAreNotShownWhenServersAreGone(t *testing.T) {
	w := newWorld(t)
	o, rules := secretOptions(t, w)
	o.Notifier.DrainTimeout, o.RemoteWrite.DrainTimeout = 1, 1
	d := startSecret(t, o)
	w.awaitAlert(t, "Down")
	d.awaitTrouble(w, rules, (*httptest.Server).Close)
	d.expectNoSecret()
	if err := d.stop(); err != nil {
		expectNone(t, "the error of Run", err.Error())
	}
	expectNone(t, "the log", d.log.String())
}

// awaitTrouble has all servers fail and waits until their errors are known. The
// datasource comes late, as without it there is nothing to write.
func (d *running) awaitTrouble(w *world, rules *httptest.Server, fail func(*httptest.Server)) {
	d.t.Helper()
	fail(w.storage)
	fail(w.alertmanager)
	await(d.t, "writes and notifications fail", func() bool {
		_, notifiers := d.get("/api/v1/notifiers")
		_, metrics := d.get("/metrics?authKey=" + secret)
		return strings.Contains(notifiers, `"lastError":"`) && !strings.Contains(notifiers, `"lastError":""`) &&
			!strings.Contains(metrics, "tocsin_remotewrite_retries_total 0\n")
	})
	fail(w.datasource)
	fail(rules)
	await(d.t, "rules and reloads fail", func() bool {
		code, _ := d.get("/-/reload?authKey=" + secret)
		return code == http.StatusInternalServerError && d.groups()[0].Rules[0].LastError != ""
	})
}

func TestSecretsAreNotInErrorsOfTheStart(t *testing.T) {
	const bad = "http://user:hunter2@[::1?token=hunter2"
	for name, spoil := range map[string]func(*Options){
		"datasource URL":   func(o *Options) { o.Datasource.URL = bad },
		"remote read URL":  func(o *Options) { o.RemoteRead.URL = bad },
		"remote write URL": func(o *Options) { o.RemoteWrite.Targets[0].URL = bad },
		"notifier URL":     func(o *Options) { o.Notifier.URLs[0] = bad },
		"rule URL":         func(o *Options) { o.Rules.Files = []string{bad} },
		"external URL":     func(o *Options) { o.External.URL = bad },
		"header":           func(o *Options) { o.Datasource.Client.Headers = []string{"X-Token hunter2"} },
		"header name":      func(o *Options) { o.Datasource.Client.Headers = []string{"X Token: hunter2"} },
		"header value":     func(o *Options) { o.Datasource.Client.Headers = []string{"X-Token: hunter2\x00"} },
		"two passwords": func(o *Options) {
			o.RemoteWrite.Targets[0].Client.BasicAuth = httpx.BasicAuth{Username: "user", Password: secret}
		},
		"rule URL that is gone": func(o *Options) {
			o.Rules.Files = []string{"http://user:hunter2@127.0.0.1:1/rules.yml?token=hunter2"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			o, _ := secretOptions(t, newWorld(t))
			spoil(&o)
			d := launch(t, o)
			err := d.wait()
			if err == nil {
				t.Fatal("the daemon ended without an error")
			}
			expectNone(t, "the error", err.Error())
			expectNone(t, "the log", d.log.String())
		})
	}
}
