package awsauth

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tocsin/internal/httpx"
)

const (
	containerService = "http://169.254.170.2"
	instanceService  = "http://169.254.169.254"
	// instanceTimeout is for all questions together: where there is no such service,
	// nothing answers at all.
	instanceTimeout = 2 * time.Second
	// hopLifetime is how long the token lives that questions need, in seconds.
	hopLifetime = "300"
)

// machineKeys is how metadata services and programs write credentials.
type machineKeys struct {
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	Token           string // of metadata services
	SessionToken    string // of programs
	Expiration      time.Time
}

func readKeys(answer []byte) (Credentials, error) {
	var k machineKeys
	if json.Unmarshal(answer, &k) != nil {
		return Credentials{}, errors.New("the answer cannot be read")
	}
	return complete(Credentials{
		AccessKeyID: k.AccessKeyID, SecretKey: httpx.Secret(k.SecretAccessKey),
		Token: httpx.Secret(cmp.Or(k.SessionToken, k.Token)), Expires: k.Expiration,
	})
}

// inContainer reports whether the environment names a service for containers.
func (o *Options) inContainer() bool {
	return o.Env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") != "" || o.Env("AWS_CONTAINER_CREDENTIALS_FULL_URI") != ""
}

// fromContainer asks the service that ECS and EKS give containers.
func (o *Options) fromContainer(ctx context.Context) (Credentials, error) {
	address := o.Env("AWS_CONTAINER_CREDENTIALS_FULL_URI")
	if relative := o.Env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); relative != "" {
		address = containerService + relative
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return Credentials{}, errors.New("the address of the container's credentials is not a valid URL")
	}
	if u.Scheme != "https" && !isOwnMachine(u.Hostname()) {
		return Credentials{}, fmt.Errorf("the container's credentials are not to be had from %s without https", u.Host)
	}
	token, err := o.containerToken()
	if err != nil {
		return Credentials{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return Credentials{}, errors.New("the address of the container's credentials is not a valid URL")
	}
	if token != "" {
		req.Header.Set("Authorization", token)
	}
	answer, err := ask(o.Direct, req)
	if err != nil {
		return Credentials{}, fmt.Errorf("ask for the container's credentials: %w", err)
	}
	return readKeys(answer)
}

// containerToken returns what the service wants to see; its file changes.
func (o *Options) containerToken() (string, error) {
	token := o.Env("AWS_CONTAINER_AUTHORIZATION_TOKEN")
	if file := o.Env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); file != "" {
		text, err := readSmall(file)
		if err != nil {
			return "", fmt.Errorf("read the container's token: %w", err)
		}
		token = strings.TrimSpace(text)
	}
	if strings.ContainsAny(token, "\r\n") {
		return "", errors.New("the container's token has more than one line")
	}
	return token, nil
}

// isOwnMachine reports whether a host is the machine itself, or a service that ECS
// and EKS have there.
func isOwnMachine(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && (ip.IsLoopback() || slices.Contains([]string{"169.254.170.2", "169.254.170.23", "fd00:ec2::23"}, ip.String()))
}

// fromInstance asks the metadata service of an EC2 instance for those of its role.
func (o *Options) fromInstance(ctx context.Context) (Credentials, error) {
	if strings.EqualFold(o.Env("AWS_EC2_METADATA_DISABLED"), "true") {
		return Credentials{}, errors.New("AWS_EC2_METADATA_DISABLED is set")
	}
	ctx, cancel := context.WithTimeout(ctx, instanceTimeout)
	defer cancel()
	base := strings.TrimSuffix(cmp.Or(o.Env("AWS_EC2_METADATA_SERVICE_ENDPOINT"), instanceService), "/")
	token, err := o.askInstance(ctx, http.MethodPut, base+"/latest/api/token", "X-Aws-Ec2-Metadata-Token-Ttl-Seconds", hopLifetime)
	if err != nil {
		return Credentials{}, err
	}
	const path = "/latest/meta-data/iam/security-credentials/"
	get := func(url string) ([]byte, error) {
		return o.askInstance(ctx, http.MethodGet, url, "X-Aws-Ec2-Metadata-Token", string(token))
	}
	names, err := get(base + path)
	if err != nil {
		return Credentials{}, err
	}
	name, _, _ := strings.Cut(strings.TrimSpace(string(names)), "\n")
	if name == "" {
		return Credentials{}, errors.New("the instance has no role")
	}
	answer, err := get(base + path + url.PathEscape(name))
	if err != nil {
		return Credentials{}, err
	}
	return readKeys(answer)
}

func (o *Options) askInstance(ctx context.Context, method, address, header, value string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, errors.New("the address of the instance's metadata service is not a valid URL")
	}
	req.Header.Set(header, value)
	answer, err := ask(o.Direct, req)
	if err != nil {
		return nil, fmt.Errorf("ask the instance's metadata service: %w", err)
	}
	return answer, nil
}
