package notifiers

import (
	"path/filepath"
	"strings"
	"testing"

	"tocsin/config"
)

// problems returns what Load finds wrong with a text, without the file's name.
func problems(t testing.TB, text string) []string {
	t.Helper()
	path := written(t, text)
	_, err := Load(t.Context(), path, config.Options{})
	if err == nil {
		return nil
	}
	if strings.Contains(err.Error(), secret) {
		t.Errorf("the secret shows: %v", err)
	}
	return strings.Split(strings.ReplaceAll(err.Error(), path+":", ""), "\n")
}

func TestProblems(t *testing.T) {
	const in = "static_configs:\n- targets: [a]\n  "
	for text, want := range map[string]string{
		"":                                  ` file is empty`,
		"\n---\n# nothing\n":                ` file is empty`,
		"null":                              ` file is empty`,
		"- a":                               `1: file: expected a mapping of keys to values`,
		secret:                              `1: file: expected a mapping of keys to values`,
		"scheme: http\n---\nb: 2":           `2: a second document, where one is expected`,
		"scheme: ftp":                       `1: file: scheme must be http or https`,
		"timeout: -1s":                      `1: file: timeout must not be negative`,
		"timeout: soon":                     `1: timeout: expected a duration such as 30s, 1h30m or 1.5d, found the text "soon"`,
		"static_config: []":                 `1: unknown key "static_config" (did you mean "static_configs"?)`,
		"alertmanagers: []":                 `1: unknown key "alertmanagers" (its entries are the blocks of this file)`,
		"headers: {a: b}":                   `1: headers: expected a list of texts, found a mapping`,
		"headers: [" + secret + "]":         `1: file: header 1 is not "Name: value"`,
		"headers: ['a b: x']":               `1: file: header 1 has an invalid name`,
		"proxy_url: 'ftp://" + secret + "'": `1: file: proxy URL must begin with http://, https://, socks5:// or socks5h://`,
		"proxy_url: 'http://u:" + secret + "@%zz'":           `1: file: proxy URL is not valid`,
		"proxy_basic_auth: {password: " + secret + "}":       `1: file: proxy has a user but no URL`,
		"enable_http2: true":                                 `1: file: enable_http2: only HTTP/1.1 is spoken`,
		"bearer_token: " + secret + "\nbearer_token_file: f": `2: file: bearer_token and bearer_token_file exclude one another`,
		"bearer_token: {" + secret + ": 1}":                  `1: bearer_token: expected text, found a mapping`,
		"bearer_token: *" + secret:                           ` not valid YAML: a text that begins with * needs quotes, for there is no anchor of that name`,
		"basic_auth: " + secret:                              `1: basic_auth: expected a mapping of keys to values`,
		"basic_auth: {}":                                     `1: file: basic_auth is empty`,
		"\nbasic_auth: {}":                                   `2: file: basic_auth is empty`,
		"basic_auth: {username: u, username_file: f}":        `1: file: username and username_file exclude one another`,
		"basic_auth:\n  username: u\n  password: " + secret + "\n  password_file: f":                           `4: file: password and password_file exclude one another`,
		"basic_auth: {user: u, username: v}":                                                                   `1: unknown key "user"`,
		"authorization: {type: Token}":                                                                         `1: file: authorization has no credentials`,
		"authorization: {}":                                                                                    `1: file: authorization has no credentials`,
		"authorization: {credentials: " + secret + ", credentials_file: f}":                                    `1: file: authorization has credentials and a file with them`,
		"authorization: {type: a b, credentials: " + secret + "}":                                              `1: file: authorization has an invalid type`,
		"bearer_token: " + secret + "\nbasic_auth: {username: u}":                                              `1: file: basic auth, bearer token, authorization and OAuth2 exclude one another`,
		"oauth2: {client_id: i, client_secret: " + secret + "}":                                                `1: file: oauth2 has no token_url`,
		"oauth2: {client_id: i, token_url: 'http://t/'}":                                                       `1: file: OAuth2 has no client secret`,
		"oauth2: {client_id: i, client_secret: " + secret + ", client_secret_file: f, token_url: 'http://t/'}": `1: file: client_secret and client_secret_file exclude one another`,
		"oauth2: {client_id: i, client_secret: " + secret + ", token_url: 'x/?k=" + secret + "'}":              `1: file: OAuth2 token URL: URL must begin with http:// or https://`,
		"oauth2: {client_id: i, client_secret: x, token_url: 'http://t/', tls_config: {cert: x}}":              `1: oauth2: TLS certificate and key must be given together`,
		"oauth2: {client_id: i, client_secret: x, token_url: 'http://t/', proxy_url: 'http://:1'}":             `1: file: OAuth2: proxy URL has no host`,
		"oauth2: {client_id: i, client_secret: x, token_url: 'http://t/', headers: [x]}":                       `1: file: OAuth2: header 1 is not "Name: value"`,
		"tls_config: {min_version: TLS9}":                                                                      `1: file: min_version must be TLS10, TLS11, TLS12 or TLS13`,
		"tls_config: {max_version: TLS12}":                                                                     `1: unknown key "max_version" (did you mean "min_version"?)`,
		"tls_config: {cert_file: c}":                                                                           `1: file: TLS certificate and key must be given together`,
		"tls_config: {ca: c, ca_file: c}":                                                                      `1: file: TLS CA is given as text and as a file`,
		"tls_config: {cert: c, cert_file: c, key: " + secret + "}":                                             `1: file: TLS certificate is given as text and as a file`,
		"tls_config: {cert: c, key: " + secret + ", key_file: k}":                                              `1: file: TLS key is given as text and as a file`,
		"tls_config: {insecure_skip_verify: perhaps}":                                                          `1: insecure_skip_verify: expected true or false, found the text "perhaps"`,
		in + "target: b":                                   `3: unknown key "target" (did you mean "targets"?)`,
		in + "refresh_interval: 1m":                        `3: unknown key "refresh_interval" (it belongs into the block of a discovery)`,
		in + "authorization: {type: x}":                    `3: static_configs: authorization has no credentials`,
		"static_configs: [{targets: ['']}]":                `1: static_configs: a target is empty`,
		"static_configs: [{targets: a}]":                   `1: targets: expected a list of texts, found the text "a"`,
		"static_configs: [a]":                              `1: static_configs: expected a mapping of keys to values`,
		"static_configs: {targets: [a]}":                   `1: static_configs: expected a list of mappings, found a mapping`,
		"relabel_configs:\n- target_label: a\n- action: x": `3: relabel_configs: rule 2: action "x": there is no such action`,
		in + "alert_relabel_configs:\n  - source_labels: [a]\n    regex: (\n    target_label: b": `4: alert_relabel_configs: rule 1: action "replace": regex "(": missing closing )`,
		in + "alert_relabel_configs: [{if: '{', target_label: b}]":                               `3: alert_relabel_configs: rule 1: if "{": `,
		"relabel_configs: [{targetlabel: a}]":                                                    `1: unknown key "targetlabel" (did you mean "target_label"?)`,
		"relabel_configs: [{action: hashmod, source_labels: [a], target_label: b, modulus: -1}]": `1: relabel_configs: modulus must not be negative`,
		"relabel_configs: [{target_label: a, regex: {}}]":                                        `1: regex: expected text, found a mapping`,
		"dns_sd_configs: [{}]":                                               `1: dns_sd_configs: names must be given`,
		"dns_sd_configs: [{names: [a], type: A}]":                            `1: dns_sd_configs: port must be given with type A`,
		"dns_sd_configs: [{names: [a], type: AAAA, port: 70000}]":            `1: dns_sd_configs: port must be between 1 and 65535`,
		"dns_sd_configs: [{names: [a], type: TXT}]":                          `1: dns_sd_configs: type must be A, AAAA, SRV or MX`,
		"dns_sd_configs: [{names: [a], refresh_interval: 0s}]":               `1: dns_sd_configs: refresh_interval must be greater than 0`,
		"file_sd_configs: [{}]":                                              `1: file_sd_configs: files must be given`,
		"file_sd_configs: [{files: [a.txt]}]":                                `1: file_sd_configs: names of files must end in .json, .yml or .yaml, with at most one *, in the last element`,
		"file_sd_configs: [{files: ['*/a.yml']}]":                            `1: file_sd_configs: names of files must end in .json, .yml or .yaml, with at most one *, in the last element`,
		"http_sd_configs: [{}]":                                              `1: http_sd_configs: url: URL is empty`,
		"http_sd_configs: [{url: 'ftp://" + secret + "'}]":                   `1: http_sd_configs: url: URL must begin with http:// or https://`,
		"consul_sd_configs: [{server: 'a:b:c'}]":                             `1: consul_sd_configs: server: not a valid URL`,
		"consul_sd_configs: [{server: 'u:" + secret + "@h:0'}]":              `1: consul_sd_configs: server: URL has a port that is not between 1 and 65535`,
		"consul_sd_configs: [{scheme: ftp}]":                                 `1: consul_sd_configs: server: URL must begin with http:// or https://`,
		"consul_sd_configs: [{username: u, basic_auth: {username: u}}]":      `1: consul_sd_configs: username excludes other ways to authenticate`,
		"consul_sd_configs: [{token: " + secret + ", bearer_token: x}]":      `1: consul_sd_configs: token excludes a bearer token`,
		"consul_sd_configs: [{token: \"" + secret + "\\x01\", username: u}]": `1: consul_sd_configs: header 1 (X-Consul-Token) has a control character in its value`,
		"consul_sd_configs: [{proxy_tls_config: {}}]":                        `1: unknown key "proxy_tls_config" (proxies are known by proxy_basic_auth only)`,
		"consul_sd_configs: [{node_meta: [a]}]":                              `1: node_meta: expected a mapping of keys to values`,
	} {
		got := problems(t, text)
		if len(got) != 1 || !strings.HasPrefix(got[0], want) || got[0] != want && !strings.HasSuffix(want, `"{": `) {
			t.Errorf("%q:\ngot  %s\nwant %s", text, strings.Join(got, "\n     "), want)
		}
	}
}

func TestAllProblemsOfAFileAreFoundAtOnce(t *testing.T) {
	got := problems(t, `scheme: ftp
timeout: never
static_configs:
- targets: [a]
  tls_config: {key_file: k}
dns_sd_configs:
- type: X
alert_relabel_configs:
- action: keep
- action: drop
`)
	want := []string{
		`1: file: scheme must be http or https`,
		`2: timeout: expected a duration such as 30s, 1h30m or 1.5d, found the text "never"`,
		`5: static_configs: TLS certificate and key must be given together`,
		`7: dns_sd_configs: names must be given`,
		`7: dns_sd_configs: type must be A, AAAA, SRV or MX`,
		`9: alert_relabel_configs: rule 1: action "keep": source_labels or if must be given`,
		`10: alert_relabel_configs: rule 2: action "drop": source_labels or if must be given`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestFileThatCannotBeRead(t *testing.T) {
	folder := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(folder, "gone.yml"): ": no such file or directory",
		folder:                            ": is a directory",
		"http://%zz":                      "http://: not a valid URL",
	} {
		if _, err := Load(t.Context(), path, config.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := Load(t.Context(), written(t, strings.Repeat("#", 200)), config.Options{MaxSize: 100}); err == nil {
		t.Error("a file that is too large is read")
	}
}
