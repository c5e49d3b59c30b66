package httpx

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// tokenTimeout bounds one request for a token.
const tokenTimeout = 10 * time.Second

func (o *OAuth2) isSet() bool {
	return o.ClientID != "" || o.ClientSecret != "" || o.ClientSecretFile != "" || o.TokenURL != ""
}

// tokenSource holds the current token of a client-credentials grant and fetches
// another when it is about to expire or the client secret has changed.
type tokenSource struct {
	client     *http.Client
	secretFile *file

	turn   turn // held by who may touch the fields below
	config *clientcredentials.Config
	token  *oauth2.Token
}

// check finds what is wrong whatever the files hold.
func (o *OAuth2) check() error {
	switch {
	case o.TokenURL == "":
		return errors.New("OAuth2 has no token URL")
	case o.ClientID == "":
		return errors.New("OAuth2 has no client ID")
	case o.ClientSecret == "" && o.ClientSecretFile == "":
		return errors.New("OAuth2 has no client secret")
	}
	if _, err := ParseURL(o.TokenURL); err != nil {
		return fmt.Errorf("OAuth2 token URL: %w", err)
	}
	way := o.way()
	if err := way.Validate(); err != nil {
		return fmt.Errorf("OAuth2: %w", err)
	}
	return nil
}

// way is how the token URL is reached.
func (o *OAuth2) way() ClientOptions {
	w := ClientOptions{Routing: Routing{ProxyURL: o.ProxyURL}, Headers: o.Headers}
	if o.TLS != nil {
		w.TLS = *o.TLS
	}
	return w
}

// tokenTransport returns the transport for tokens: over base, that of the endpoint,
// unless there is a way of their own.
func (o *OAuth2) tokenTransport(base transportSource) (*Transport, error) {
	way := o.way()
	if o.TLS == nil && o.ProxyURL == "" {
		return way.transport(base)
	}
	base, err := newTransportSource(way.TLS, way.transportBuilder(nil))
	if err != nil {
		return nil, fmt.Errorf("OAuth2: %w", err)
	}
	return way.transport(base)
}

func newTokenSource(o *OAuth2, rt http.RoundTripper) (*tokenSource, error) {
	s := &tokenSource{
		client:     &http.Client{Transport: rt, Timeout: tokenTimeout},
		secretFile: newFile(o.ClientSecretFile),
		turn:       newTurn(),
	}
	secret, err := textOf(context.Background(), s.secretFile, string(o.ClientSecret))
	if err != nil {
		return nil, fmt.Errorf("OAuth2 client secret: %w", err)
	}
	params := make(url.Values, len(o.EndpointParams))
	for name, value := range o.EndpointParams {
		params.Set(name, value)
	}
	s.config = &clientcredentials.Config{
		ClientID: o.ClientID, ClientSecret: secret, TokenURL: o.TokenURL,
		Scopes: o.Scopes, EndpointParams: params,
	}
	return s, nil
}

func (s *tokenSource) authorization(ctx context.Context) (string, error) {
	if err := s.turn.take(ctx); err != nil {
		return "", fmt.Errorf("wait for an OAuth2 token: %w", err)
	}
	defer s.turn.give()
	secret, err := textOf(ctx, s.secretFile, s.config.ClientSecret)
	if err != nil {
		return "", fmt.Errorf("OAuth2 client secret: %w", err)
	}
	if secret != s.config.ClientSecret {
		s.config.ClientSecret, s.token = secret, nil
	}
	if !s.token.Valid() {
		s.token, err = s.config.Token(context.WithValue(ctx, oauth2.HTTPClient, s.client))
		if err != nil {
			return "", fmt.Errorf("get OAuth2 token: %w", tokenError(err))
		}
	}
	return s.token.Type() + " " + s.token.AccessToken, nil
}

// tokenError leaves the body of the answer out: a token endpoint may echo what
// it was sent.
func tokenError(err error) error {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		return RedactError(err)
	}
	text := "refused"
	if refused.Response != nil {
		text += ", " + strings.TrimSpace(refused.Response.Status)
	}
	if refused.ErrorCode != "" {
		text += fmt.Sprintf(", %q", refused.ErrorCode)
	}
	return errors.New(text)
}
