package objectstore

import (
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"

	"tocsin/config"
)

// s3Page is one page of a listing.
type s3Page struct {
	objects []config.Object
	next    string // what asks for the next page; "" on the last
}

// s3Listing is a page as it is sent.
type s3Listing struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	EncodingType          string
	IsTruncated           bool
	NextContinuationToken string
	Contents              []struct {
		Key  string
		ETag string
		Size int64
	}
}

func readS3Page(resp *http.Response) (*s3Page, error) {
	if resp.StatusCode != http.StatusOK {
		return nil, s3Refusal(resp)
	}
	data, err := limited(resp.Body, maxListPage)
	if err != nil {
		return nil, err
	}
	return parseS3Page(data)
}

func parseS3Page(data []byte) (*s3Page, error) {
	var l s3Listing
	if xml.Unmarshal(data, &l) != nil {
		return nil, errors.New("the listing cannot be read: is this an S3 server?")
	}
	p := &s3Page{objects: make([]config.Object, len(l.Contents))}
	for i, c := range l.Contents {
		if l.EncodingType == "url" {
			// Of names that XML cannot hold. A space may be written as a plus.
			key, err := url.QueryUnescape(c.Key)
			if err != nil {
				return nil, errors.New("the listing cannot be read: a key is not encoded as it says")
			}
			c.Key = key
		}
		p.objects[i] = config.Object{Key: c.Key, Version: c.ETag, Size: c.Size}
	}
	if l.IsTruncated {
		if p.next = l.NextContinuationToken; p.next == "" {
			return nil, errors.New("the listing cannot be read: it does not say where it goes on")
		}
	}
	return p, nil
}
