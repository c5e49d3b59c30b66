package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
	"unicode"

	"tocsin/internal/app"
	"tocsin/internal/httpx"
)

const (
	secretTimeout = 10 * time.Second // for all secrets that come from URLs
	maxSecretSize = 64 << 10         // bytes
)

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
		text, err := readSecret(ctx, string(*secret.value), transport)
		if err != nil {
			errs = append(errs, fmt.Errorf("read the secret for -%s: %w", secret.flag, err))
			continue
		}
		*secret.value = httpx.Secret(text)
	}
	return errors.Join(errs...)
}

// readSecret returns the secret that source names, or source itself if it names
// no place.
func readSecret(ctx context.Context, source string, transport http.RoundTripper) (string, error) {
	var content []byte
	var err error
	path, isFile := strings.CutPrefix(source, "file://")
	switch {
	case isFile:
		content, err = os.ReadFile(path)
	case strings.HasPrefix(source, "http://"), strings.HasPrefix(source, "https://"):
		content, err = getSecret(ctx, source, transport)
	default:
		return source, nil
	}
	if err != nil {
		return "", err
	}
	secret := strings.TrimRightFunc(string(content), unicode.IsSpace)
	if secret == "" {
		// An empty password would turn the protection off without a word.
		return "", errors.New("there is nothing in it")
	}
	return secret, nil
}

// getSecret reads a secret from a URL. Its errors do not show the URL.
func getSecret(ctx context.Context, url string, transport http.RoundTripper) ([]byte, error) {
	if _, err := httpx.ParseURL(url); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, httpx.RedactError(err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("ask its URL: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("its URL answered %d", resp.StatusCode)
	}
	content, err := io.ReadAll(io.LimitReader(resp.Body, maxSecretSize+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer of its URL: %w", err)
	}
	if len(content) > maxSecretSize {
		return nil, fmt.Errorf("its URL answered more than %d bytes", maxSecretSize)
	}
	return content, nil
}
