package plan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"tocsin/internal/httpx"
)

// maxAnswer bounds what is read of an answer, in bytes. The plan for a hundred
// thousand rules is smaller.
const maxAnswer = 64 << 20

// Daemon says where a daemon answers and how it lets one in.
type Daemon struct {
	URL *url.URL // with the path prefix, if there is one; a user in it wins over Username

	Username string
	Password httpx.Secret
	Key      httpx.Secret // of reloads; takes the place of user and password
}

// Plan asks d what a reload would do now. It does not follow redirects, which
// would take the credentials elsewhere. Its errors name the daemon and hold no
// secrets; they wrap that of ctx if it has ended.
func (d *Daemon) Plan(ctx context.Context, transport http.RoundTripper) (*Answer, error) {
	endpoint := d.URL.JoinPath("-", "reload", "plan")
	a, err := d.ask(ctx, endpoint, transport)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", httpx.RedactURL(endpoint.String()), err)
	}
	return a, nil
}

func (d *Daemon) ask(ctx context.Context, endpoint *url.URL, transport http.RoundTripper) (*Answer, error) {
	req, err := d.request(ctx, endpoint)
	if err != nil {
		return nil, httpx.RedactError(err)
	}
	client := http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if ue, ok := errors.AsType[*url.Error](err); ok {
		return nil, httpx.RedactError(ue.Err) // the address is said once, by the caller
	}
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, d.refusal(resp, body)
	}
	return decode(body)
}

// request keeps a key out of the address, which servers on the way may log.
func (d *Daemon) request(ctx context.Context, endpoint *url.URL) (*http.Request, error) {
	if d.Key != "" {
		form := url.Values{"authKey": {string(d.Key)}}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint.String(), strings.NewReader(form.Encode()))
		if err == nil {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		return req, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint.String(), nil)
	if err == nil && d.Username != "" && endpoint.User == nil {
		req.SetBasicAuth(d.Username, string(d.Password))
	}
	return req, err
}

// refusal is the error of an answer that is none, with what to do about it.
func (d *Daemon) refusal(resp *http.Response, body []byte) error {
	answered := fmt.Sprintf("it answered %d", resp.StatusCode)
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return errors.New(answered + "; it wants the key of -reloadAuthKey or, where that is not set, -httpAuth.username and -httpAuth.password")
	case code == http.StatusBadRequest || code == http.StatusNotFound:
		return errors.New(answered + "; it is no daemon that tells plans, or the path of --url or -http.pathPrefix is not its own")
	case code >= 300 && code < 400:
		return errors.New(answered + " and leads to " + printable(httpx.RedactURL(resp.Header.Get("Location"))) + "; give that address with --url")
	}
	if text := reason(body); text != "" {
		return errors.New(answered + ": " + d.hide(printableLines(text)))
	}
	return errors.New(answered)
}

// hide takes the secrets of d out of a text that is not ours.
func (d *Daemon) hide(text string) string {
	for _, secret := range []httpx.Secret{d.Password, d.Key} {
		if secret != "" {
			text = strings.ReplaceAll(text, string(secret), secret.String())
		}
	}
	return text
}
