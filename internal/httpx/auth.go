package httpx

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
)

// authorizer makes the value of the Authorization header.
type authorizer interface {
	authorization(ctx context.Context) (string, error)
}

// authorizer returns nil when o asks for no authentication. Tokens of OAuth2 are
// fetched through rt. Files are read once, so that a wrong name shows at start.
func (o *ClientOptions) authorizer(rt http.RoundTripper) (authorizer, error) {
	basic := o.BasicAuth != BasicAuth{}
	bearer := o.BearerToken != "" || o.BearerTokenFile != ""
	oauth2 := o.OAuth2.isSet()
	switch {
	case basic && bearer, basic && oauth2, bearer && oauth2:
		return nil, errors.New("basic auth, bearer token and OAuth2 exclude one another")
	case basic:
		return o.BasicAuth.authorizer()
	case bearer:
		return newBearer(o.BearerToken, o.BearerTokenFile)
	case oauth2:
		return newTokenSource(&o.OAuth2, rt)
	}
	return nil, nil
}

// fixed is a header value that never changes.
type fixed struct{ value string }

func (f *fixed) authorization(context.Context) (string, error) { return f.value, nil }

type basicAuth struct {
	username, password         string
	usernameFile, passwordFile *file
}

func (o *BasicAuth) authorizer() (authorizer, error) {
	if o.Username == "" && o.UsernameFile == "" {
		return nil, errors.New("basic auth has a password but no username")
	}
	if o.UsernameFile == "" && o.PasswordFile == "" {
		return &fixed{basicValue(o.Username, string(o.Password))}, nil
	}
	b := &basicAuth{
		username: o.Username, usernameFile: newFile(o.UsernameFile),
		password: string(o.Password), passwordFile: newFile(o.PasswordFile),
	}
	_, err := b.authorization(context.Background())
	return b, err
}

func (b *basicAuth) authorization(context.Context) (string, error) {
	username, err := textOf(b.usernameFile, b.username)
	if err != nil {
		return "", fmt.Errorf("basic auth username: %w", err)
	}
	password, err := textOf(b.passwordFile, b.password)
	if err != nil {
		return "", fmt.Errorf("basic auth password: %w", err)
	}
	return basicValue(username, password), nil
}

func basicValue(username, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+password))
}

type bearerFile struct{ token *file }

func newBearer(token Secret, path string) (authorizer, error) {
	if path == "" {
		return &fixed{"Bearer " + string(token)}, nil
	}
	b := &bearerFile{newFile(path)}
	_, err := b.authorization(context.Background())
	return b, err
}

func (b *bearerFile) authorization(context.Context) (string, error) {
	token, err := b.token.get()
	if err != nil {
		return "", fmt.Errorf("bearer token: %w", err)
	}
	return "Bearer " + token, nil
}

// textOf returns the content of f, or text if there is no such file.
func textOf(f *file, text string) (string, error) {
	if f == nil {
		return text, nil
	}
	return f.get()
}
