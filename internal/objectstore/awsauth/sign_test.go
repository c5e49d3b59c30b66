package awsauth

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7/pkg/signer"
	"pgregory.net/rapid"

	"tocsin/internal/httpx"
)

func get(t rapid.TB, address string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// The examples are those of the documentation of S3.
func TestSignatureIsThatOfTheDocumentedExamples(t *testing.T) {
	keys := Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	for query, want := range map[string]string{
		"max-keys=2&prefix=J": "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
		"lifecycle=":          "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
	} {
		req := get(t, "https://examplebucket.s3.amazonaws.com/?"+query)
		Sign(req, nil, keys, Scope{Region: "us-east-1", Service: "s3"}, time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC))
		want = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, " +
			"SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=" + want
		if got := req.Header.Get("Authorization"); got != want {
			t.Errorf("%s:\n got %s\nwant %s", query, got, want)
		}
	}
}

// Any key and any argument is signed as another implementation signs it.
func TestSignatureIsThatOfAnotherClient(t *testing.T) {
	text := rapid.StringOfN(rapid.RuneFrom([]rune("aZ09-_.~ /+%&=?#*'()[]{}:;,@!$\"\\ü世\t")), 1, 20, -1)
	rapid.Check(t, func(t *rapid.T) {
		key, prefix, token := text.Draw(t, "key"), text.Draw(t, "prefix"), rapid.StringMatching(`[a-z]{0,4}`).Draw(t, "token")
		path := "/bucket/" + strings.TrimLeft(key, "/")
		u := url.URL{Scheme: "https", Host: "s3.example.com:443", Path: path, RawPath: Path(path), RawQuery: Query(url.Values{"prefix": {prefix}, "list-type": {"2"}})}
		ours := get(t, u.String())
		theirs := get(t, u.String())
		theirs.Host = "s3.example.com"
		theirs.Header.Set("X-Amz-Content-Sha256", sum(nil))
		theirs = signer.SignV4(*theirs, "ID", "SECRET", token, "eu-west-1")
		at, err := time.Parse(timeFormat, theirs.Header.Get("X-Amz-Date"))
		if err != nil {
			t.Fatal(err)
		}
		Sign(ours, nil, Credentials{AccessKeyID: "ID", SecretKey: "SECRET", Token: "stale"}, Scope{}, at)
		// A signature takes the place of the one before it.
		Sign(ours, nil, Credentials{AccessKeyID: "ID", SecretKey: "SECRET", Token: httpx.Secret(token)}, Scope{Region: "eu-west-1", Service: "s3"}, at)
		if got, want := ours.Header.Get("Authorization"), theirs.Header.Get("Authorization"); got != want {
			t.Fatalf("%s\n got %s\nwant %s", u.String(), got, want)
		}
		if ours.URL.EscapedPath() != Path(path) {
			t.Fatalf("%s is sent where %s is signed", ours.URL.EscapedPath(), Path(path))
		}
	})
}
