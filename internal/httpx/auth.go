package httpx

import (
	"cmp"
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
	switch {
	case o.BasicAuth != BasicAuth{}:
		return o.BasicAuth.authorizer()
	case o.usesBearer():
		return newCredentials("Bearer", "bearer token", o.BearerToken, o.BearerTokenFile)
	case o.Authorization != Authorization{}:
		a := &o.Authorization
		return newCredentials(cmp.Or(a.Type, "Bearer"), "authorization credentials", a.Credentials, a.CredentialsFile)
	case o.OAuth2.isSet():
		return newTokenSource(&o.OAuth2, rt)
	}
	return nil, nil
}

func (o *ClientOptions) usesBearer() bool { return o.BearerToken != "" || o.BearerTokenFile != "" }

// checkAuth finds what is wrong whatever the files hold.
func (o *ClientOptions) checkAuth() error {
	ways := 0
	for _, used := range []bool{
		o.BasicAuth != BasicAuth{}, o.usesBearer(), o.Authorization != Authorization{}, o.OAuth2.isSet(),
	} {
		if used {
			ways++
		}
	}
	if ways > 1 {
		return errors.New("basic auth, bearer token, authorization and OAuth2 exclude one another")
	}
	if a := o.Authorization; a != (Authorization{}) {
		switch {
		case a.Credentials == "" && a.CredentialsFile == "":
			return errors.New("authorization has no credentials")
		case a.Credentials != "" && a.CredentialsFile != "":
			return errors.New("authorization has credentials and a file with them")
		case a.Type != "" && !isToken(a.Type):
			return errors.New("authorization has an invalid type")
		}
	}
	if o.OAuth2.isSet() {
		return o.OAuth2.check()
	}
	return nil
}

// fixed is a header value that never changes.
type fixed struct{ value string }

func (f *fixed) authorization(context.Context) (string, error) { return f.value, nil }

type basicAuth struct {
	username, password         string
	usernameFile, passwordFile *file
}

func (o *BasicAuth) authorizer() (authorizer, error) {
	if o.UsernameFile == "" && o.PasswordFile == "" {
		return &fixed{basicValue(o.Username, string(o.Password))}, nil
	}
	b := o.files()
	_, err := b.authorization(context.Background())
	return b, err
}

// files opens none of them.
func (o *BasicAuth) files() *basicAuth {
	return &basicAuth{
		username: o.Username, usernameFile: newFile(o.UsernameFile),
		password: string(o.Password), passwordFile: newFile(o.PasswordFile),
	}
}

func (b *basicAuth) authorization(ctx context.Context) (string, error) {
	username, password, err := b.current(ctx)
	if err != nil {
		return "", err
	}
	return basicValue(username, password), nil
}

// current returns what the files hold now.
func (b *basicAuth) current(ctx context.Context) (username, password string, err error) {
	if username, err = textOf(ctx, b.usernameFile, b.username); err != nil {
		return "", "", fmt.Errorf("basic auth username: %w", err)
	}
	if password, err = textOf(ctx, b.passwordFile, b.password); err != nil {
		return "", "", fmt.Errorf("basic auth password: %w", err)
	}
	return username, password, nil
}

func basicValue(username, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+password))
}

// credentials is a type with what a file holds.
type credentials struct {
	kind string
	what string // for errors
	file *file
}

func newCredentials(kind, what string, text Secret, path string) (authorizer, error) {
	if path == "" {
		return &fixed{kind + " " + string(text)}, nil
	}
	c := &credentials{kind, what, newFile(path)}
	_, err := c.authorization(context.Background())
	return c, err
}

func (c *credentials) authorization(ctx context.Context) (string, error) {
	text, err := c.file.get(ctx)
	if err != nil {
		return "", fmt.Errorf("%s: %w", c.what, err)
	}
	return c.kind + " " + text, nil
}

// textOf returns the content of f, or text if there is no such file.
func textOf(ctx context.Context, f *file, text string) (string, error) {
	if f == nil {
		return text, nil
	}
	return f.get(ctx)
}
