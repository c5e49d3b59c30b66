package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"tocsin/internal/httpx"
)

// clientFlags are the connection flags of one URL as written; client turns them
// into options.
type clientFlags struct {
	name string // prefix of the flags, such as "datasource"

	// direct are the options that need no reading beyond that of the flag.
	direct         httpx.ClientOptions
	headers        string
	scopes         string
	endpointParams string
}

// addClientFlags defines the connection flags every single-URL endpoint has. The
// metrics of its connections begin with metricsPrefix.
func addClientFlags(f *flagSet, name, metricsPrefix string) *clientFlags {
	c := &clientFlags{name: name, direct: httpx.ClientOptions{MetricsPrefix: metricsPrefix}}
	o := &c.direct
	f.connection = true
	defer func() { f.connection = false }()

	f.string(&o.BasicAuth.Username, name+".basicAuth.username", "", "User for basic authentication")
	f.string(&o.BasicAuth.UsernameFile, name+".basicAuth.usernameFile", "", "File with the user for basic authentication, read again when it changes")
	f.secret(&o.BasicAuth.Password, name+".basicAuth.password", "Password for basic authentication, or file:///path or an http(s) URL to read it from")
	f.string(&o.BasicAuth.PasswordFile, name+".basicAuth.passwordFile", "", "File with the password for basic authentication, read again when it changes")
	f.secret(&o.BearerToken, name+".bearerToken", "Bearer token, or file:///path or an http(s) URL to read it from")
	f.string(&o.BearerTokenFile, name+".bearerTokenFile", "", "File with the bearer token, read again when it changes")

	f.string(&o.OAuth2.ClientID, name+".oauth2.clientID", "", "Client id for the OAuth2 client-credentials grant")
	f.secret(&o.OAuth2.ClientSecret, name+".oauth2.clientSecret", "OAuth2 client secret, or file:///path or an http(s) URL to read it from")
	f.string(&o.OAuth2.ClientSecretFile, name+".oauth2.clientSecretFile", "", "File with the OAuth2 client secret, read again when it changes")
	f.string(&c.endpointParams, name+".oauth2.endpointParams", "", `Extra parameters for the OAuth2 token endpoint, as JSON: {"name":"value"}`).secret = true
	f.string(&c.scopes, name+".oauth2.scopes", "", "OAuth2 scopes, separated by semicolons")
	f.string(&o.OAuth2.TokenURL, name+".oauth2.tokenUrl", "", "OAuth2 token endpoint")

	f.string(&o.TLS.CAFile, name+".tlsCAFile", "", "File with the certificate authorities to trust instead of the system's")
	f.string(&o.TLS.CertFile, name+".tlsCertFile", "", "File with the client certificate")
	f.string(&o.TLS.KeyFile, name+".tlsKeyFile", "", "File with the key of the client certificate")
	f.string(&o.TLS.ServerName, name+".tlsServerName", "", "Server name to expect in the certificate instead of the URL's host")
	f.bool(&o.TLS.InsecureSkipVerify, name+".tlsInsecureSkipVerify", false, "Accept any server certificate")

	f.string(&c.headers, name+".headers", "", "Headers of every request, separated by ^^: 'Name: value^^Other: value'").secret = true
	f.duration(&o.IdleConnTimeout, name+".idleConnTimeout", 50*time.Second, "Close connections that were idle for this long; keep it below the server's own limit")
	return c
}

// client returns the options, or everything that is wrong with them.
func (c *clientFlags) client() (httpx.ClientOptions, error) {
	return readClient(c.direct, clientTexts{
		flag:           func(suffix string) string { return "-" + c.name + "." + suffix },
		headers:        c.headers,
		scopes:         c.scopes,
		endpointParams: c.endpointParams,
	})
}

// clientTexts are the connection flags whose text has a structure of its own.
type clientTexts struct {
	flag           func(suffix string) string // how messages call the flag
	headers        string
	scopes         string
	endpointParams string
}

// readClient completes o from t and checks the whole. Its errors never show a
// value, as most of them are secrets.
func readClient(o httpx.ClientOptions, t clientTexts) (httpx.ClientOptions, error) {
	var headersErr, paramsErr error
	o.Headers, headersErr = splitHeaders(t.headers)
	if headersErr != nil {
		headersErr = fmt.Errorf("%s: %w", t.flag("headers"), headersErr)
	}
	o.OAuth2.Scopes = splitScopes(t.scopes)
	o.OAuth2.EndpointParams, paramsErr = readEndpointParams(t.endpointParams)
	if paramsErr != nil {
		paramsErr = fmt.Errorf("%s: %w", t.flag("oauth2.endpointParams"), paramsErr)
	}
	o = moveSecretFiles(o)
	return o, errors.Join(headersErr, paramsErr, checkAuth(o, t.flag), checkTLS(o.TLS, t.flag))
}

// splitHeaders reads "Name: value^^Name: value".
func splitHeaders(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	headers := strings.Split(text, "^^")
	_, err := httpx.ParseHeaders(headers)
	return headers, err
}

func splitScopes(text string) []string {
	var scopes []string
	for scope := range strings.SplitSeq(text, ";") {
		if scope = strings.TrimSpace(scope); scope != "" {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

func readEndpointParams(text string) (map[string]string, error) {
	if text == "" {
		return nil, nil
	}
	var params map[string]string
	if json.Unmarshal([]byte(text), &params) != nil {
		return nil, errors.New(`not a JSON object of strings; write for example {"audience":"metrics"}`)
	}
	return params, nil
}

// checkAuth refuses what could only send requests with half of an
// authentication or with two of them.
func checkAuth(o httpx.ClientOptions, flag func(string) string) error {
	basic := o.BasicAuth != httpx.BasicAuth{}
	bearer := o.BearerToken != "" || o.BearerTokenFile != ""
	oauth2 := o.OAuth2.ClientID != "" || o.OAuth2.ClientSecret != "" || o.OAuth2.ClientSecretFile != ""

	var errs []error
	kinds := 0
	for _, used := range []bool{basic, bearer, oauth2} {
		if used {
			kinds++
		}
	}
	if kinds > 1 {
		errs = append(errs, fmt.Errorf("%s, %s and %s exclude each other",
			flag("basicAuth.*"), flag("bearerToken*"), flag("oauth2.*")))
	}
	if basic && o.BasicAuth.Username == "" && o.BasicAuth.UsernameFile == "" {
		errs = append(errs, fmt.Errorf("%s needs %s", flag("basicAuth.password"), flag("basicAuth.username")))
	}
	if o.BearerToken != "" && o.BearerTokenFile != "" {
		errs = append(errs, fmt.Errorf("%s and %s exclude each other", flag("bearerToken"), flag("bearerTokenFile")))
	}
	if oauth2 {
		errs = append(errs, checkOAuth2(o.OAuth2, flag))
	}
	return errors.Join(errs...)
}

func checkOAuth2(o httpx.OAuth2, flag func(string) string) error {
	var errs []error
	if o.ClientID == "" {
		errs = append(errs, fmt.Errorf("OAuth2 needs %s", flag("oauth2.clientID")))
	}
	if o.ClientSecret == "" && o.ClientSecretFile == "" {
		errs = append(errs, fmt.Errorf("OAuth2 needs %s", flag("oauth2.clientSecret")))
	}
	if o.TokenURL == "" {
		errs = append(errs, fmt.Errorf("OAuth2 needs %s", flag("oauth2.tokenUrl")))
	} else if _, err := httpx.ParseURL(o.TokenURL); err != nil {
		errs = append(errs, fmt.Errorf("%s: %w", flag("oauth2.tokenUrl"), err))
	}
	return errors.Join(errs...)
}

func checkTLS(o httpx.TLS, flag func(string) string) error {
	if (o.CertFile == "") != (o.KeyFile == "") {
		return fmt.Errorf("%s and %s go together", flag("tlsCertFile"), flag("tlsKeyFile"))
	}
	return nil
}
