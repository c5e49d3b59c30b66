package awsauth

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	timeFormat = "20060102T150405Z"
)

// Scope is what a signature is good for.
type Scope struct{ Region, Service string }

// Sign signs a request (Signature Version 4) whose path and query are encoded as
// Path and Query do it. Its body is body, which may be nil.
func Sign(req *http.Request, body []byte, c Credentials, s Scope, now time.Time) {
	now = now.UTC()
	payload := sum(body)
	req.Header.Set("X-Amz-Date", now.Format(timeFormat))
	req.Header.Set("X-Amz-Content-Sha256", payload)
	req.Header.Del("X-Amz-Security-Token")
	if c.Token != "" {
		req.Header.Set("X-Amz-Security-Token", string(c.Token))
	}
	// Some servers leave out the usual port when they check, so it is not sent.
	req.Host = withoutUsualPort(cmp.Or(req.Host, req.URL.Host), req.URL.Scheme)
	names, headers := canonicalHeaders(req)
	canonical := strings.Join([]string{
		req.Method, req.URL.EscapedPath(), req.URL.RawQuery, headers, names, payload,
	}, "\n")
	day := now.Format("20060102")
	scope := day + "/" + s.Region + "/" + s.Service + "/aws4_request"
	text := strings.Join([]string{algorithm, now.Format(timeFormat), scope, sum([]byte(canonical))}, "\n")

	key := []byte("AWS4" + string(c.SecretKey))
	for _, part := range []string{day, s.Region, s.Service, "aws4_request"} {
		key = mac(key, part)
	}
	req.Header.Set("Authorization", algorithm+" Credential="+c.AccessKeyID+"/"+scope+
		", SignedHeaders="+names+", Signature="+hex.EncodeToString(mac(key, text)))
}

// canonicalHeaders returns the names of the headers that are signed, and the
// headers, a line each. Those that proxies may touch are not signed.
func canonicalHeaders(req *http.Request) (names, lines string) {
	all := []string{"host:" + req.Host}
	signed := []string{"host"}
	for name, values := range req.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") {
			signed = append(signed, name)
			all = append(all, name+":"+strings.TrimSpace(strings.Join(values, ",")))
		}
	}
	slices.Sort(signed)
	slices.Sort(all)
	return strings.Join(signed, ";"), strings.Join(all, "\n") + "\n"
}

func withoutUsualPort(host, scheme string) string {
	switch scheme {
	case "https":
		return strings.TrimSuffix(host, ":443")
	case "http":
		return strings.TrimSuffix(host, ":80")
	}
	return host
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// Path encodes a path as it has to be signed and sent: slashes stay.
func Path(path string) string {
	return strings.ReplaceAll(escape(path), "%2F", "/")
}

// Query encodes arguments as they have to be signed and sent. No name may have
// more than one value.
func Query(args url.Values) string {
	return strings.ReplaceAll(args.Encode(), "+", "%20")
}

func escape(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}
