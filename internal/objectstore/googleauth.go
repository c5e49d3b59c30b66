package objectstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"tocsin/internal/httpx"
)

const (
	googleScope  = "https://www.googleapis.com/auth/devstorage.read_only"
	googleDomain = "googleapis.com"
	// googleMetadata is the service that instances at Google ask for tokens.
	googleMetadata  = "169.254.169.254"
	metadataTimeout = 2 * time.Second
	// earlyToken is how long before it expires a token is renewed.
	earlyToken       = 4 * time.Minute
	maxKeyFile       = 1 << 20
	maxTokenResponse = 1 << 20
)

// googleAuth gets tokens for Google Cloud Storage and keeps the last one.
type googleAuth struct {
	file              string // "" looks where Google's tools look
	env               func(string) string
	transport, direct http.RoundTripper

	turn   chan struct{} // held by who may touch the fields below; waiting for it ends with the request
	token  *oauth2.Token
	domain string // that the key file names
}

// access returns where to ask and what to authorize it with, which is not the
// token that was refused; "" for an emulator.
func (g *googleAuth) access(ctx context.Context, refused string) (*url.URL, string, error) {
	if emulator := g.env("STORAGE_EMULATOR_HOST"); emulator != "" {
		base, err := gcsBase(emulator, "")
		return base, "", err
	}
	select {
	case g.turn <- struct{}{}:
		defer func() { <-g.turn }()
	case <-ctx.Done():
		return nil, "", fmt.Errorf("wait for a token: %w", ctx.Err())
	}
	if !g.lasts(earlyToken) || bearer(g.token) == refused {
		token, domain, err := g.find(ctx)
		switch {
		case err == nil:
			g.token, g.domain = token, domain
		case !g.lasts(0) || bearer(g.token) == refused:
			return nil, "", fmt.Errorf("get a token of Google: %w", tokenError(err))
		}
	}
	base, err := gcsBase("", g.domain)
	return base, bearer(g.token), err
}

func bearer(t *oauth2.Token) string {
	if t == nil {
		return ""
	}
	return t.Type() + " " + t.AccessToken
}

// lasts reports whether the token is good for d more.
func (g *googleAuth) lasts(d time.Duration) bool {
	return g.token != nil && (g.token.Expiry.IsZero() || time.Until(g.token.Expiry) > d)
}

// find gets a token by the key file, which is read anew each time, or of the
// machine if there is none.
func (g *googleAuth) find(ctx context.Context) (*oauth2.Token, string, error) {
	key, err := g.keyFile()
	if err != nil {
		return nil, "", err
	}
	if key == nil {
		token, err := g.ofMachine(ctx)
		return token, googleDomain, err
	}
	var kind struct {
		Type           google.CredentialsType `json:"type"`
		UniverseDomain string                 `json:"universe_domain"`
	}
	if json.Unmarshal(key, &kind) != nil {
		return nil, "", errors.New("the credentials file is not the JSON of a service account or another kind of credentials")
	}
	client := &http.Client{Transport: &bound{ctx, g.transport}}
	credentials, err := google.CredentialsFromJSONWithType(context.WithValue(ctx, oauth2.HTTPClient, client), key, kind.Type, googleScope)
	if err != nil {
		return nil, "", errors.New("the credentials file is not the JSON of a service account or another kind of credentials")
	}
	token, err := credentials.TokenSource.Token()
	if kind.UniverseDomain == "" {
		kind.UniverseDomain = googleDomain
	}
	return token, kind.UniverseDomain, err
}

// keyFile returns the content of the file with credentials; nil if there is none.
// One that is named must be there.
func (g *googleAuth) keyFile() ([]byte, error) {
	path := g.file
	if path == "" {
		path = g.env("GOOGLE_APPLICATION_CREDENTIALS")
	}
	named := path != ""
	if home := g.env("HOME"); !named && home != "" {
		path = filepath.Join(home, ".config", "gcloud", "application_default_credentials.json")
	}
	if path == "" {
		return nil, nil
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read the credentials file: %w", err)
	case !info.Mode().IsRegular() || info.Size() > maxKeyFile:
		return nil, fmt.Errorf("the credentials file is not a regular file of at most %d bytes", maxKeyFile)
	}
	return os.ReadFile(path)
}

// ofMachine asks the metadata service of an instance for a token.
func (g *googleAuth) ofMachine(ctx context.Context) (*oauth2.Token, error) {
	host := g.env("GCE_METADATA_HOST")
	if host == "" {
		host = googleMetadata
	}
	ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet,
		"http://"+host+"/computeMetadata/v1/instance/service-accounts/default/token?scopes="+url.QueryEscape(googleScope), nil)
	if err != nil {
		return nil, errors.New("GCE_METADATA_HOST is not the name of a host")
	}
	req.Header.Set("Metadata-Flavor", "Google")
	resp, err := g.direct.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("there is no credentials file, and no instance to ask: %w", httpx.RedactError(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the metadata service answered %s", resp.Status)
	}
	var answer struct {
		Token   string `json:"access_token"`
		Type    string `json:"token_type"`
		Expires int64  `json:"expires_in"` // in seconds
	}
	if json.NewDecoder(io.LimitReader(resp.Body, maxTokenResponse)).Decode(&answer) != nil || answer.Token == "" {
		return nil, errors.New("the answer of the metadata service has no token")
	}
	return &oauth2.Token{
		AccessToken: answer.Token, TokenType: answer.Type,
		Expiry: time.Now().Add(time.Duration(answer.Expires) * time.Second),
	}, nil
}

// tokenError leaves the body of an answer out, which may repeat what was sent.
func tokenError(err error) error {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		return httpx.RedactError(err)
	}
	text := "refused"
	if refused.Response != nil {
		text += ", " + strings.TrimSpace(refused.Response.Status)
	}
	var body struct {
		Error string `json:"error"`
	}
	// Without a body that can be read the status has to do.
	if _ = json.Unmarshal(refused.Body, &body); isWord(strings.ReplaceAll(body.Error, "_", "")) {
		text += ", " + body.Error
	}
	return errors.New(text)
}

// bound sends requests that end with ctx: the library that makes them does not
// know for whom it does.
type bound struct {
	ctx       context.Context
	transport http.RoundTripper
}

func (b *bound) RoundTrip(req *http.Request) (*http.Response, error) {
	return b.transport.RoundTrip(req.WithContext(b.ctx))
}
