package main

import (
	"errors"
	"fmt"
	"time"

	"tocsin/internal/app"
	"tocsin/internal/httpx"
)

// notifierFlags are the flags of the Alertmanagers. The lists pair with urls by
// index, and a list of one item applies to every URL.
type notifierFlags struct {
	urls        *list[string]
	sendTimeout *list[time.Duration]
	texts       []*notifierText
	skipVerify  *list[bool]
}

// notifierText is a connection flag that is a list of texts, with the place of
// its item in the options of one target.
type notifierText struct {
	*list[string]
	suffix string
	place  func(*notifierTarget) *string
}

// notifierTarget is the connection of one URL while it is put together.
type notifierTarget struct {
	httpx.ClientOptions
	headers        string
	scopes         string
	endpointParams string
}

func addNotifierFlags(f *flagSet, o *app.NotifierOptions) *notifierFlags {
	f.topic = topicNotifier
	n := &notifierFlags{urls: f.strings("notifier.url", "Alertmanager to send alerts to; every one given gets all alerts. Required for alerting rules, unless -notifier.blackhole is set")}
	f.bool(&o.Blackhole, "notifier.blackhole", false, "Evaluate alerting rules but send no alerts")
	f.bool(&o.ShowURL, "notifier.showURL", false, "Show -notifier.url whole in logs, pages and metrics; otherwise user, password and values of its query are hidden")
	f.bool(&o.SuppressDuplicateErrors, "notifier.suppressDuplicateTargetErrors", false, "Do not report Alertmanagers that are found more than once")
	n.sendTimeout = f.durations("notifier.sendTimeout", 10*time.Second, "Most time one request to Alertmanager may take")
	f.int(&o.MaxBatchSize, "notifier.maxBatchSize", 1000, "Most alerts in one request")
	f.duration(&o.DrainTimeout, "notifier.drainTimeout", 5*time.Second, "How long to go on sending queued alerts at shutdown")
	n.addConnectionFlags(f)
	return n
}

func (n *notifierFlags) addConnectionFlags(f *flagSet) {
	f.connection = true
	defer func() { f.connection = false }()

	text := func(suffix string, secret bool, place func(*notifierTarget) *string, help string) {
		define := f.strings
		if secret {
			define = f.secrets
		}
		n.texts = append(n.texts, &notifierText{list: define("notifier."+suffix, help), suffix: suffix, place: place})
	}
	type target = notifierTarget
	text("basicAuth.username", false, func(t *target) *string { return &t.BasicAuth.Username }, "User for basic authentication")
	text("basicAuth.usernameFile", false, func(t *target) *string { return &t.BasicAuth.UsernameFile }, "File with the user for basic authentication, read again when it changes")
	text("basicAuth.password", true, func(t *target) *string { return (*string)(&t.BasicAuth.Password) }, "Password for basic authentication, or file:///path or an http(s) URL to read it from")
	text("basicAuth.passwordFile", false, func(t *target) *string { return &t.BasicAuth.PasswordFile }, "File with the password for basic authentication, read again when it changes")
	text("bearerToken", true, func(t *target) *string { return (*string)(&t.BearerToken) }, "Bearer token, or file:///path or an http(s) URL to read it from")
	text("bearerTokenFile", false, func(t *target) *string { return &t.BearerTokenFile }, "File with the bearer token, read again when it changes")
	text("oauth2.clientID", false, func(t *target) *string { return &t.OAuth2.ClientID }, "Client id for the OAuth2 client-credentials grant")
	text("oauth2.clientSecret", true, func(t *target) *string { return (*string)(&t.OAuth2.ClientSecret) }, "OAuth2 client secret, or file:///path or an http(s) URL to read it from")
	text("oauth2.clientSecretFile", false, func(t *target) *string { return &t.OAuth2.ClientSecretFile }, "File with the OAuth2 client secret, read again when it changes")
	text("oauth2.endpointParams", true, func(t *target) *string { return &t.endpointParams }, `Extra parameters for the OAuth2 token endpoint, as JSON: {"name":"value"}`)
	text("oauth2.scopes", false, func(t *target) *string { return &t.scopes }, "OAuth2 scopes, separated by semicolons")
	text("oauth2.tokenUrl", false, func(t *target) *string { return &t.OAuth2.TokenURL }, "OAuth2 token endpoint")
	text("tlsCAFile", false, func(t *target) *string { return &t.TLS.CAFile }, "File with the certificate authorities to trust instead of the system's")
	text("tlsCertFile", false, func(t *target) *string { return &t.TLS.CertFile }, "File with the client certificate")
	text("tlsKeyFile", false, func(t *target) *string { return &t.TLS.KeyFile }, "File with the key of the client certificate")
	text("tlsServerName", false, func(t *target) *string { return &t.TLS.ServerName }, "Server name to expect in the certificate instead of the URL's host")
	n.skipVerify = f.bools("notifier.tlsInsecureSkipVerify", "Accept any server certificate")
	text("headers", true, func(t *target) *string { return &t.headers }, "Headers of every request, separated by ^^: 'Name: value^^Other: value'")
}

// options fills in the URLs with their targets, or returns everything that is
// wrong with them.
func (n *notifierFlags) options(o *app.NotifierOptions) error {
	var errs []error
	if o.Blackhole && len(n.urls.items) > 0 {
		errs = append(errs, errors.New("-notifier.url and -notifier.blackhole exclude each other"))
	}
	for i, url := range n.urls.items {
		if _, err := httpx.ParseURL(url); err != nil {
			errs = append(errs, fmt.Errorf("-notifier.url: address %d: %w", i+1, err))
		}
		target, err := n.target(i)
		errs = append(errs, err)
		o.Targets = append(o.Targets, target)
	}
	o.URLs = n.urls.items
	return errors.Join(errs...)
}

// target returns the connection of the i-th URL.
func (n *notifierFlags) target(i int) (app.NotifierTarget, error) {
	t := notifierTarget{ClientOptions: httpx.ClientOptions{MetricsPrefix: "vmalert_notifier"}}
	for _, text := range n.texts {
		*text.place(&t) = text.at(i)
	}
	t.TLS.InsecureSkipVerify = n.skipVerify.at(i)
	client, clientErr := readClient(t.ClientOptions, clientTexts{
		flag:           func(suffix string) string { return fmt.Sprintf("-notifier.%s (address %d)", suffix, i+1) },
		headers:        t.headers,
		scopes:         t.scopes,
		endpointParams: t.endpointParams,
	})
	timeout := n.sendTimeout.at(i)
	var timeoutErr error
	if timeout <= 0 {
		timeoutErr = fmt.Errorf("-notifier.sendTimeout (address %d) must be more than 0", i+1)
	}
	return app.NotifierTarget{Client: client, SendTimeout: timeout}, errors.Join(clientErr, timeoutErr)
}

// surplus warns of connection values that belong to no URL.
func (n *notifierFlags) surplus() []string {
	var warnings []string
	urls := len(n.urls.items)
	warn := func(name string, values int) {
		if values > max(urls, 1) {
			warnings = append(warnings, fmt.Sprintf("-notifier.%s has %d values for %d -notifier.url; the last ones are not used", name, values, urls))
		}
	}
	for _, text := range n.texts {
		warn(text.suffix, len(text.items))
	}
	warn("tlsInsecureSkipVerify", len(n.skipVerify.items))
	warn("sendTimeout", len(n.sendTimeout.items))
	return warnings
}
