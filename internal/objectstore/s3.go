package objectstore

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"tocsin/config"
	"tocsin/internal/objectstore/awsauth"
)

// s3 speaks the protocol of S3.
type s3 struct {
	asker
	auth      awsauth.Options
	source    *awsauth.Source
	endpoint  string // that was asked for; "" leaves it to the settings
	pathStyle bool

	mu       sync.Mutex // guards the fields below
	settings *awsauth.Settings
	regions  map[string]string // of buckets, as far as AWS has said
}

func newS3(a asker, auth awsauth.Options, endpoint string, pathStyle bool) *s3 {
	return &s3{
		asker: a, auth: auth, source: awsauth.NewSource(auth), endpoint: endpoint, pathStyle: pathStyle,
		regions: map[string]string{},
	}
}

// list reads all pages of a listing. The settings are read anew before.
func (s *s3) list(ctx context.Context, prefix config.Location) ([]config.Object, error) {
	if err := s.readSettings(); err != nil {
		return nil, err
	}
	var all []config.Object
	for token, more := "", true; more; {
		args := url.Values{"list-type": {"2"}, "encoding-type": {"url"}, "prefix": {prefix.Key}}
		if token != "" {
			args.Set("continuation-token", token)
		}
		var page *s3Page
		err := s.exchange(ctx, prefix.Bucket, "", args, nil, func(resp *http.Response) (err error) {
			page, err = readS3Page(resp)
			return err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, page.objects...)
		if more = page.next != ""; more && page.next == token {
			return nil, errors.New("the store repeats a page of the listing")
		}
		if token = page.next; len(all) > maxObjects {
			return nil, fmt.Errorf("more than %d objects", maxObjects)
		}
	}
	return all, nil
}

func (s *s3) read(ctx context.Context, at config.Location, known string, most int64) (data []byte, version string, err error) {
	// What was stored packed is sent so.
	header := http.Header{"Accept-Encoding": {"gzip"}}
	if known != "" {
		header.Set("If-None-Match", known)
	}
	err = s.exchange(ctx, at.Bucket, at.Key, nil, header, func(resp *http.Response) (err error) {
		switch {
		case resp.StatusCode == http.StatusOK:
			version = resp.Header.Get("ETag")
			data, err = content(resp, most)
			return err
		case resp.StatusCode == http.StatusNotModified && known != "":
			return config.ErrUnchanged
		}
		r := s3Refusal(resp)
		if r.code == "NoSuchKey" {
			return fmt.Errorf("%w: %w", fs.ErrNotExist, errors.New(r.Error()))
		}
		return r
	})
	return data, version, err
}

// exchange asks for a key of a bucket, or for the bucket if there is no key.
func (s *s3) exchange(ctx context.Context, bucket, key string, args url.Values, header http.Header, answer func(*http.Response) error) error {
	var used awsauth.Credentials
	renewed := false
	return s.ask(ctx, question{
		request: func(ctx context.Context) (req *http.Request, err error) {
			if used, err = s.source.Credentials(ctx); err != nil {
				return nil, err
			}
			return s.request(ctx, bucket, key, args, header, used)
		},
		answer: answer,
		settle: func(ctx context.Context, r *refusal) bool {
			if r.region != "" && s.moveTo(bucket, r.region) {
				return true
			}
			if renewed || !r.ofCredentials() {
				return false
			}
			s.renewals.Inc()
			_, err := s.source.Renewed(ctx, used)
			renewed = err == nil
			return renewed
		},
	})
}

// request makes a signed request.
func (s *s3) request(ctx context.Context, bucket, key string, args url.Values, header http.Header, c awsauth.Credentials) (*http.Request, error) {
	region, endpoint, err := s.place(bucket)
	if err != nil {
		return nil, err
	}
	u, err := s3Address(endpoint, s.pathStyle, region, bucket, key)
	if err != nil {
		return nil, err
	}
	u.RawQuery = awsauth.Query(args)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, errors.New("make a request: the address is not a valid URL")
	}
	for name, values := range header {
		req.Header[name] = slices.Clone(values)
	}
	awsauth.Sign(req, nil, c, awsauth.Scope{Region: region, Service: "s3"}, time.Now())
	return req, nil
}

func (s *s3) readSettings() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.readSettingsLocked()
}

func (s *s3) readSettingsLocked() error {
	settings, err := s.auth.Settings()
	if err != nil {
		return fmt.Errorf("find the region: %w", err)
	}
	s.settings = &settings
	return nil
}

// place returns the region of a bucket and the endpoint, "" if it is AWS'.
func (s *s3) place(bucket string) (region, endpoint string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.settings == nil {
		if err := s.readSettingsLocked(); err != nil {
			return "", "", err
		}
	}
	region, endpoint = s.regions[bucket], s.endpoint
	if region == "" {
		region = s.settings.Region
	}
	if endpoint == "" {
		endpoint = s.settings.Endpoint
	}
	return region, endpoint, nil
}

// moveTo notes in which region a bucket is; false if that is known already.
func (s *s3) moveTo(bucket, region string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.regions[bucket]
	if known == "" && s.settings != nil {
		known = s.settings.Region
	}
	if known == region {
		return false
	}
	s.regions[bucket] = region
	return true
}

// ofCredentials reports whether other credentials may do better.
func (r *refusal) ofCredentials() bool {
	if r.number == http.StatusUnauthorized {
		return true
	}
	return slices.Contains([]string{
		"ExpiredToken", "InvalidToken", "TokenRefreshRequired", "InvalidAccessKeyId", "SignatureDoesNotMatch",
	}, r.code)
}

// s3Problem is the body of a refusal.
type s3Problem struct {
	XMLName xml.Name `xml:"Error"`
	Code    string
	Region  string
}

func s3Refusal(resp *http.Response) *refusal {
	var p s3Problem
	// Without a body that can be read the status has to do.
	_ = xml.Unmarshal(reason(resp), &p)
	r := refusalOf(resp, p.Code)
	switch p.Code {
	case "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "":
		r.region = regionName(resp.Header.Get("X-Amz-Bucket-Region"), p.Region)
	}
	return r
}
