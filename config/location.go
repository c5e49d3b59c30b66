package config

import (
	"errors"
	"strings"
)

// Location is an object in object storage, or all objects of a bucket whose keys
// begin with Key.
type Location struct {
	Scheme string // s3 or gs
	Bucket string
	Key    string // as it is: no character has a meaning, and none is escaped
}

// longestBucketName is that of Google Cloud Storage; S3 allows less.
const longestBucketName = 222

// ParseLocation reads s3://bucket/key, gs://bucket/key and gcs://bucket/key, the
// last of which is another name for the second. The key may be empty. Errors do
// not repeat raw, which somebody may have put credentials into.
func ParseLocation(raw string) (Location, error) {
	scheme, rest, found := strings.Cut(raw, "://")
	if !found || !isObjectScheme(scheme) {
		return Location{}, errors.New("not of the form s3://bucket/prefix or gs://bucket/prefix")
	}
	if scheme == "gcs" {
		scheme = "gs"
	}
	bucket, key, _ := strings.Cut(rest, "/")
	if !isBucketName(bucket) {
		return Location{}, errors.New("not a valid bucket name: write " + scheme + "://bucket/prefix")
	}
	return Location{Scheme: scheme, Bucket: bucket, Key: key}, nil
}

// String returns the location as it is written after -rule.
func (l Location) String() string { return l.Scheme + "://" + l.Bucket + "/" + l.Key }

// IsLocation reports whether a pattern stands for object storage.
func IsLocation(pattern string) bool {
	scheme, _, found := strings.Cut(pattern, "://")
	return found && isObjectScheme(scheme)
}

func isObjectScheme(scheme string) bool {
	return scheme == "s3" || scheme == "gs" || scheme == "gcs"
}

func isBucketName(name string) bool {
	if name == "" || len(name) > longestBucketName || strings.Trim(name, ".") == "" {
		return false
	}
	for i := range len(name) {
		c := name[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_':
		default:
			return false
		}
	}
	return true
}
