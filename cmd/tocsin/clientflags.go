package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"tocsin/internal/httpx"
)

const (
	skipVerifyHelp      = "Accept any server certificate"
	idleConnTimeout     = 50 * time.Second
	idleConnTimeoutHelp = "Close connections that were idle for this long; keep it below the server's own limit"
)

// connection is the options of one connection while they are put together from
// flags.
type connection struct {
	httpx.ClientOptions
	// What has a structure of its own.
	headers        string
	scopes         string
	endpointParams string
}

// connectionText is a connection flag that is a text, with its place.
type connectionText struct {
	suffix string // after the name of the endpoint
	secret bool
	help   string
	place  func(*connection) *string
}

// connectionTexts lists the connection flags that are texts, in the order of the
// help.
func connectionTexts() []connectionText {
	type c = connection
	return []connectionText{
		{"basicAuth.username", false, "User for basic authentication", func(o *c) *string { return &o.BasicAuth.Username }},
		{"basicAuth.usernameFile", false, "File with the user for basic authentication, read again when it changes", func(o *c) *string { return &o.BasicAuth.UsernameFile }},
		{"basicAuth.password", true, "Password for basic authentication, or file:///path or an http(s) URL to read it from", func(o *c) *string { return (*string)(&o.BasicAuth.Password) }},
		{"basicAuth.passwordFile", false, "File with the password for basic authentication, read again when it changes", func(o *c) *string { return &o.BasicAuth.PasswordFile }},
		{"bearerToken", true, "Bearer token, or file:///path or an http(s) URL to read it from", func(o *c) *string { return (*string)(&o.BearerToken) }},
		{"bearerTokenFile", false, "File with the bearer token, read again when it changes", func(o *c) *string { return &o.BearerTokenFile }},
		{"oauth2.clientID", false, "Client id for the OAuth2 client-credentials grant", func(o *c) *string { return &o.OAuth2.ClientID }},
		{"oauth2.clientSecret", true, "OAuth2 client secret, or file:///path or an http(s) URL to read it from", func(o *c) *string { return (*string)(&o.OAuth2.ClientSecret) }},
		{"oauth2.clientSecretFile", false, "File with the OAuth2 client secret, read again when it changes", func(o *c) *string { return &o.OAuth2.ClientSecretFile }},
		{"oauth2.endpointParams", true, `Extra parameters for the OAuth2 token endpoint, as JSON: {"name":"value"}`, func(o *c) *string { return &o.endpointParams }},
		{"oauth2.scopes", false, "OAuth2 scopes, separated by semicolons", func(o *c) *string { return &o.scopes }},
		{"oauth2.tokenUrl", false, "OAuth2 token endpoint", func(o *c) *string { return &o.OAuth2.TokenURL }},
		{"tlsCAFile", false, "File with the certificate authorities to trust instead of the system's", func(o *c) *string { return &o.TLS.CAFile }},
		{"tlsCertFile", false, "File with the client certificate", func(o *c) *string { return &o.TLS.CertFile }},
		{"tlsKeyFile", false, "File with the key of the client certificate", func(o *c) *string { return &o.TLS.KeyFile }},
		{"tlsServerName", false, "Server name to expect in the certificate instead of the URL's host", func(o *c) *string { return &o.TLS.ServerName }},
		{"headers", true, "Headers of every request, separated by ^^: 'Name: value^^Other: value'", func(o *c) *string { return &o.headers }},
	}
}

// read completes the options and checks the whole. Messages call the flags as flag
// says and never show a value, as most of them are secrets.
func (c connection) read(flag func(suffix string) string) (httpx.ClientOptions, error) {
	o := c.ClientOptions
	var headersErr, paramsErr error
	o.Headers, headersErr = splitHeaders(c.headers)
	if headersErr != nil {
		headersErr = fmt.Errorf("%s: %w", flag("headers"), headersErr)
	}
	o.OAuth2.Scopes = splitScopes(c.scopes)
	o.OAuth2.EndpointParams, paramsErr = readEndpointParams(c.endpointParams)
	if paramsErr != nil {
		paramsErr = fmt.Errorf("%s: %w", flag("oauth2.endpointParams"), paramsErr)
	}
	o = moveSecretFiles(o)
	return o, errors.Join(headersErr, paramsErr, checkAuth(o, flag), checkTLS(o.TLS, flag))
}

// clientFlags are the connection flags of an endpoint of which there is one.
type clientFlags struct {
	name   string // prefix of the flags, such as "datasource"
	direct connection
}

// addClientFlags defines the connection flags of an endpoint. The metrics of its
// connections begin with metricsPrefix.
func addClientFlags(f *flagSet, name, metricsPrefix string) *clientFlags {
	c := &clientFlags{name: name}
	c.direct.MetricsPrefix = metricsPrefix
	f.connection = true
	defer func() { f.connection = false }()
	for _, text := range connectionTexts() {
		f.string(text.place(&c.direct), name+"."+text.suffix, "", text.help).secret = text.secret
	}
	f.bool(&c.direct.TLS.InsecureSkipVerify, name+".tlsInsecureSkipVerify", false, skipVerifyHelp)
	f.duration(&c.direct.IdleConnTimeout, name+".idleConnTimeout", idleConnTimeout, idleConnTimeoutHelp)
	return c
}

// client returns the options, or everything that is wrong with them.
func (c *clientFlags) client() (httpx.ClientOptions, error) { return c.direct.read(c.flag) }

// flag is how messages call a flag.
func (c *clientFlags) flag(suffix string) string { return "-" + c.name + "." + suffix }

// splitHeaders reads "Name: value^^Name: value". Quotes around the whole, which
// those write whose shell would take them, are no part of it.
func splitHeaders(text string) ([]string, error) {
	if text = unquoteItem(text); text == "" {
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
	if o.BearerToken != "" && o.BearerTokenFile != "" {
		errs = append(errs, fmt.Errorf("%s and %s exclude each other", flag("bearerToken"), flag("bearerTokenFile")))
	}
	if oauth2 {
		errs = append(errs, checkOAuth2(o.OAuth2, flag))
	}
	return errors.Join(errs...)
}

// nobodysPassword warns of a password that is sent without a user. There are
// servers that want it so.
func nobodysPassword(o httpx.ClientOptions, flag func(string) string) []string {
	b := o.BasicAuth
	if b == (httpx.BasicAuth{}) || b.Username != "" || b.UsernameFile != "" {
		return nil
	}
	return []string{fmt.Sprintf("%s is sent without a user, as %s is not set", flag("basicAuth.password"), flag("basicAuth.username"))}
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
