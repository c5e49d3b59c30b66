package objectstore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"tocsin/config"
	"tocsin/internal/httpx"
)

// gcs speaks the JSON API of Google Cloud Storage.
type gcs struct {
	asker
	auth *googleAuth
}

func newGCS(a asker, auth *googleAuth) *gcs { return &gcs{asker: a, auth: auth} }

// gcsListing is a page of a listing.
type gcsListing struct {
	NextPageToken string `json:"nextPageToken"`
	Items         []struct {
		Name       string `json:"name"`
		Generation string `json:"generation"`
		Size       string `json:"size"`
	} `json:"items"`
}

// list reads all pages of a listing.
func (g *gcs) list(ctx context.Context, prefix config.Location) ([]config.Object, error) {
	var all []config.Object
	for token, more := "", true; more; {
		args := url.Values{
			"prefix": {prefix.Key}, "maxResults": {"1000"}, "fields": {"nextPageToken,items(name,generation,size)"},
		}
		if token != "" {
			args.Set("pageToken", token)
		}
		var page *gcsListing
		err := g.exchange(ctx, prefix.Bucket, "", args, func(resp *http.Response) (err error) {
			page, err = readGCSPage(resp)
			return err
		})
		if err != nil {
			return nil, err
		}
		all = page.appendTo(all)
		if more = page.NextPageToken != ""; more && page.NextPageToken == token {
			return nil, errors.New("the store repeats a page of the listing")
		}
		if token = page.NextPageToken; len(all) > maxObjects {
			return nil, fmt.Errorf("more than %d objects", maxObjects)
		}
	}
	return all, nil
}

func readGCSPage(resp *http.Response) (*gcsListing, error) {
	if resp.StatusCode != http.StatusOK {
		return nil, gcsRefusal(resp, reason(resp))
	}
	data, err := limited(resp.Body, maxListPage)
	if err != nil {
		return nil, err
	}
	return parseGCSPage(data)
}

func parseGCSPage(data []byte) (*gcsListing, error) {
	var page gcsListing
	if json.Unmarshal(data, &page) != nil {
		return nil, errors.New("the listing cannot be read: is this Google Cloud Storage?")
	}
	return &page, nil
}

func (l *gcsListing) appendTo(all []config.Object) []config.Object {
	for _, item := range l.Items {
		// A size that is none is no reason to do without the object.
		size, _ := strconv.ParseInt(item.Size, 10, 64)
		all = append(all, config.Object{Key: item.Name, Version: item.Generation, Size: max(size, 0)})
	}
	return all
}

func (g *gcs) read(ctx context.Context, at config.Location, known string, most int64) (data []byte, version string, err error) {
	args := url.Values{"alt": {"media"}}
	if known != "" {
		args.Set("ifGenerationNotMatch", known)
	}
	err = g.exchange(ctx, at.Bucket, at.Key, args, func(resp *http.Response) (err error) {
		switch {
		case resp.StatusCode == http.StatusOK:
			version = resp.Header.Get("X-Goog-Generation")
			data, err = content(resp, most)
			return err
		case resp.StatusCode == http.StatusNotModified && known != "":
			return config.ErrUnchanged
		}
		why := reason(resp)
		r := gcsRefusal(resp, why)
		if r.number == http.StatusNotFound && bytes.Contains(why, []byte("No such object")) {
			return fmt.Errorf("%w: %w", fs.ErrNotExist, errors.New(r.Error()))
		}
		return r
	})
	return data, version, err
}

// exchange asks for a key of a bucket, or for a listing if there is no key.
func (g *gcs) exchange(ctx context.Context, bucket, key string, args url.Values, answer func(*http.Response) error) error {
	refused := ""
	used := ""
	return g.ask(ctx, question{
		request: func(ctx context.Context) (*http.Request, error) {
			base, token, err := g.auth.access(ctx, refused)
			if err != nil {
				return nil, err
			}
			used = token
			return gcsRequest(ctx, base, token, bucket, key, args)
		},
		answer: answer,
		settle: func(_ context.Context, r *refusal) bool {
			if r.number != http.StatusUnauthorized || refused != "" || used == "" {
				return false
			}
			g.renewals.Inc()
			refused = used
			return true
		},
	})
}

func gcsRequest(ctx context.Context, base *url.URL, token, bucket, key string, args url.Values) (*http.Request, error) {
	path := strings.TrimSuffix(base.Path, "/") + "/storage/v1/b/" + bucket + "/o"
	raw := path
	if key != "" {
		path, raw = path+"/"+key, raw+"/"+url.PathEscape(key)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, onPath(base, path, raw, args.Encode()).String(), nil)
	if err != nil {
		return nil, errors.New("make a request: the address is not a valid URL")
	}
	// What was stored packed is sent so.
	req.Header.Set("Accept-Encoding", "gzip")
	if token != "" {
		req.Header.Set("Authorization", token)
	}
	return req, nil
}

// gcsRefusal reads the reason from a body, which is JSON or a text.
func gcsRefusal(resp *http.Response, body []byte) *refusal {
	var p struct {
		Error struct {
			Errors []struct {
				Reason string `json:"reason"`
			} `json:"errors"`
		} `json:"error"`
	}
	// Without a body that can be read the status has to do.
	_ = json.Unmarshal(body, &p)
	code := ""
	if len(p.Error.Errors) > 0 {
		code = p.Error.Errors[0].Reason
	}
	return refusalOf(resp, code)
}

// gcsBase returns where the API is.
func gcsBase(emulator, domain string) (*url.URL, error) {
	if emulator == "" {
		return httpx.ParseURL("https://storage." + domain)
	}
	if !strings.Contains(emulator, "://") {
		emulator = "http://" + emulator
	}
	u, err := httpx.ParseURL(emulator)
	if err != nil {
		return nil, fmt.Errorf("STORAGE_EMULATOR_HOST: %w", err)
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u, nil
}
