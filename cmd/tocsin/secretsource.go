package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"tocsin/internal/app"
	"tocsin/internal/httpx"
)

// secretTimeout is for all secrets that come from URLs.
const secretTimeout = 10 * time.Second

// moveSecretFiles moves secrets given as file:///path to the options for files,
// which are read again when the file changes.
func moveSecretFiles(o httpx.ClientOptions) httpx.ClientOptions {
	move := func(secret *httpx.Secret, file *string) {
		if path, ok := strings.CutPrefix(string(*secret), "file://"); ok && *file == "" {
			*secret, *file = "", path
		}
	}
	move(&o.BasicAuth.Password, &o.BasicAuth.PasswordFile)
	move(&o.BearerToken, &o.BearerTokenFile)
	move(&o.OAuth2.ClientSecret, &o.OAuth2.ClientSecretFile)
	return o
}

// namedSecret is a secret option with its flag.
type namedSecret struct {
	flag  string
	value *httpx.Secret
}

// secretsOf lists the secrets of o.
func secretsOf(o *app.Options) []namedSecret {
	secrets := []namedSecret{
		{"httpAuth.password", &o.HTTP.AuthPassword},
		{"reloadAuthKey", &o.HTTP.ReloadAuthKey},
		{"metricsAuthKey", &o.HTTP.MetricsAuthKey},
		{"flagsAuthKey", &o.HTTP.FlagsAuthKey},
		{"pprofAuthKey", &o.HTTP.PprofAuthKey},
	}
	client := func(name string, c *httpx.ClientOptions) {
		secrets = append(secrets,
			namedSecret{name + ".basicAuth.password", &c.BasicAuth.Password},
			namedSecret{name + ".bearerToken", &c.BearerToken},
			namedSecret{name + ".oauth2.clientSecret", &c.OAuth2.ClientSecret},
		)
	}
	client("datasource", &o.Datasource.Client)
	client("remoteRead", &o.RemoteRead.Client)
	for i := range o.RemoteWrite.Targets {
		client("remoteWrite", &o.RemoteWrite.Targets[i].Client)
	}
	for i := range o.Notifier.Targets {
		client("notifier", &o.Notifier.Targets[i].Client)
	}
	return secrets
}

// readSecrets replaces secrets given as file:///path or http(s)://host/path with
// what is there, without the white space at its end. It changes only options that
// name such a place and returns every one that cannot be read.
func readSecrets(ctx context.Context, o *app.Options, transport http.RoundTripper) error {
	ctx, cancel := context.WithTimeout(ctx, secretTimeout)
	defer cancel()
	var errs []error
	for _, secret := range secretsOf(o) {
		content, err := httpx.ReadSecret(ctx, string(*secret.value), transport)
		if err != nil {
			errs = append(errs, fmt.Errorf("read the secret for -%s: %w", secret.flag, err))
			continue
		}
		*secret.value = content
	}
	return errors.Join(errs...)
}
