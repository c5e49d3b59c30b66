package awsauth

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tocsin/internal/httpx"
)

// role is a role with the conditions of taking it.
type role struct{ arn, session, external, seconds string }

const (
	usualSession = "tocsin"
	maxAnswer    = 1 << 20 // bytes of an answer with credentials
)

// args are the arguments that ask for the role.
func (r role) args(action string) (url.Values, error) {
	if r.arn == "" {
		return nil, errors.New("there is no role to take: role_arn is missing")
	}
	args := url.Values{
		"Action": {action}, "Version": {"2011-06-15"},
		"RoleArn": {r.arn}, "RoleSessionName": {cmp.Or(r.session, usualSession)},
	}
	if r.external != "" {
		args.Set("ExternalId", r.external)
	}
	if r.seconds != "" {
		args.Set("DurationSeconds", r.seconds)
	}
	return args, nil
}

// assume returns the credentials of a role that c may take.
func (o *Options) assume(ctx context.Context, c Credentials, r role) (Credentials, error) {
	args, err := r.args("AssumeRole")
	if err != nil {
		return Credentials{}, err
	}
	return o.askSTS(ctx, args, &c)
}

// assumeByToken returns the credentials of a role that whoever has the token in
// file may take. The file is read each time, as the token in it changes.
func (o *Options) assumeByToken(ctx context.Context, file string, r role) (Credentials, error) {
	args, err := r.args("AssumeRoleWithWebIdentity")
	if err != nil {
		return Credentials{}, err
	}
	token, err := readSmall(file)
	if err != nil {
		return Credentials{}, fmt.Errorf("read the web identity token: %w", err)
	}
	args.Set("WebIdentityToken", strings.TrimSpace(token))
	return o.askSTS(ctx, args, nil)
}

// askSTS asks the token service; signed, if there are credentials for it.
func (o *Options) askSTS(ctx context.Context, args url.Values, c *Credentials) (Credentials, error) {
	s, err := o.Settings()
	if err != nil {
		return Credentials{}, err
	}
	endpoint := cmp.Or(o.Env("AWS_ENDPOINT_URL_STS"), o.Env("AWS_ENDPOINT_URL"), "https://sts."+s.Region+"."+DomainOf(s.Region)+"/")
	body := args.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(body))
	if err != nil {
		return Credentials{}, errors.New("the address of the token service is not a valid URL")
	}
	if req.URL.Path == "" {
		req.URL.Path = "/"
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if c != nil {
		Sign(req, []byte(body), *c, Scope{Region: s.Region, Service: "sts"}, time.Now())
	}
	answer, err := ask(o.Transport, req)
	if err != nil {
		return Credentials{}, fmt.Errorf("take role %s: %w", args.Get("RoleArn"), err)
	}
	return readRole(answer)
}

// roleAnswer is either answer of the token service.
type roleAnswer struct {
	ByKeys  roleKeys `xml:"AssumeRoleResult>Credentials"`
	ByToken roleKeys `xml:"AssumeRoleWithWebIdentityResult>Credentials"`
}

type roleKeys struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time
}

func readRole(answer []byte) (Credentials, error) {
	var a roleAnswer
	if xml.Unmarshal(answer, &a) != nil {
		return Credentials{}, errors.New("the answer of the token service cannot be read")
	}
	k := a.ByKeys
	if k.AccessKeyID == "" {
		k = a.ByToken
	}
	return complete(Credentials{
		AccessKeyID: k.AccessKeyID, SecretKey: httpx.Secret(k.SecretAccessKey),
		Token: httpx.Secret(k.SessionToken), Expires: k.Expiration,
	})
}

// complete refuses credentials that lack a part.
func complete(c Credentials) (Credentials, error) {
	if c.AccessKeyID == "" || c.SecretKey == "" {
		return Credentials{}, errors.New("the answer has no credentials")
	}
	return c, nil
}

// DomainOf returns the domain of the services of a region.
func DomainOf(region string) string {
	if strings.HasPrefix(region, "cn-") {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// ask returns the body of a good answer. Of others nothing but the status is told:
// they may repeat what was sent.
func ask(t http.RoundTripper, req *http.Request) ([]byte, error) {
	resp, err := t.RoundTrip(req)
	if err != nil {
		return nil, httpx.RedactError(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", req.URL.Host, resp.Status)
	}
	return io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
}
