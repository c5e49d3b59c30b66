package objectstore

import (
	"errors"
	"net/url"
	"strings"

	"tocsin/internal/httpx"
	"tocsin/internal/objectstore/awsauth"
)

// s3Address returns the address of a key of a bucket, or of the bucket if there is
// no key. AWS itself names the bucket before the host wherever a certificate covers
// that; other endpoints as they were said to.
func s3Address(endpoint string, pathStyle bool, region, bucket, key string) (*url.URL, error) {
	if endpoint == "" {
		endpoint = "https://s3." + region + "." + awsauth.DomainOf(region)
		pathStyle = !isHostLabel(bucket)
	}
	base, err := httpx.ParseURL(endpoint)
	if err != nil {
		return nil, errors.New("the endpoint of S3 is not a valid URL")
	}
	base.User, base.Fragment = nil, ""
	path := strings.TrimSuffix(base.Path, "/") + "/"
	if pathStyle {
		path += bucket + "/"
	} else {
		base.Host = bucket + "." + base.Host
	}
	path += key
	if pathStyle && key == "" {
		path = strings.TrimSuffix(path, "/")
	}
	return onPath(base, path, awsauth.Path(path), ""), nil
}

// isHostLabel reports whether a bucket's name can stand before a host: certificates
// for any bucket cover no dots.
func isHostLabel(bucket string) bool {
	for i := range len(bucket) {
		c := bucket[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return bucket != ""
}

// regionName returns the first that can be the name of a region.
func regionName(names ...string) string {
	for _, name := range names {
		if isHostLabel(name) && len(name) < 64 {
			return name
		}
	}
	return ""
}
