package objectstore

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/google/go-cmp/cmp"

	"tocsin/config"
)

func TestPrefixMatchesEveryKeyThatBeginsWithIt(t *testing.T) {
	s := startS3(t)
	for _, key := range []string{"dir/rule_a.yml", "dir/rule_b/c.yml", "dir/other.yml", "rule_d.yml", "dir/*.yml"} {
		s.put(key, "x")
	}
	c := client(t, s.URL, keys())
	for prefix, want := range map[string][]string{
		"s3://rules/dir/rule_":      {"dir/rule_a.yml", "dir/rule_b/c.yml"},
		"s3://rules/dir/other.yml":  {"dir/other.yml"},
		"s3://rules/dir/*":          {"dir/*.yml"},
		"s3://rules":                {"dir/*.yml", "dir/other.yml", "dir/rule_a.yml", "dir/rule_b/c.yml", "rule_d.yml"},
		"s3://rules/nothing/there_": {},
	} {
		if diff := cmp.Diff(want, listed(t, c, prefix)); diff != "" {
			t.Errorf("%s: %s", prefix, diff)
		}
	}
}

func TestObjectsOfAnyNameAreRead(t *testing.T) {
	s := startS3(t)
	names := []string{"plain.yml", "with space.yml", "a+b&c=d.yml", "100%.yml", "who?.yml", "#1.yml", "ü/世.yml", "a//b.yml"}
	for _, name := range names {
		s.put("any/"+name, "content of "+name)
	}
	c := client(t, s.URL, keys())
	if got := listed(t, c, "s3://rules/any/"); len(got) != len(names) {
		t.Errorf("listed are %q", got)
	}
	for _, name := range names {
		if got, _ := read(t, c, "s3://rules/any/"+name); got != "content of "+name {
			t.Errorf("%s has %q", name, got)
		}
	}
}

func TestListingGoesOnOverPages(t *testing.T) {
	s := startS3(t)
	for i := range 2345 {
		s.put(fmt.Sprintf("many/%04d.yml", i), "x")
	}
	got := listed(t, client(t, s.URL, keys()), "s3://rules/many/")
	if len(got) != 2345 || got[0] != "many/0000.yml" || got[2344] != "many/2344.yml" {
		t.Errorf("got %d objects", len(got))
	}
	if n := len(s.got()); n != 3 {
		t.Errorf("asked %d times for pages of a thousand objects", n)
	}
}

func TestListingTellsVersionAndSize(t *testing.T) {
	s := startS3(t)
	s.put("a.yml", "first")
	c := client(t, s.URL, keys())
	list := func() config.Object {
		objects, err := c.List(within(t), location(t, "s3://rules/"))
		if err != nil || len(objects) != 1 {
			t.Fatal(objects, err)
		}
		return objects[0]
	}
	before := list()
	if before.Size != 5 || before.Version == "" {
		t.Errorf("got %+v", before)
	}
	if list() != before {
		t.Error("the version of an object changes by itself")
	}
	s.put("a.yml", "other")
	if after := list(); after.Version == before.Version {
		t.Error("another content is of the same version")
	}
}

func TestRequestsAreSigned(t *testing.T) {
	s := startS3(t)
	s.put("a.yml", "x")
	env := keys()
	env["AWS_SESSION_TOKEN"], env["AWS_REGION"] = "session", "eu-central-1"
	read(t, client(t, s.URL, env), "s3://rules/a.yml")
	h := s.last().Header
	if got, want := h.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=ID/"; !strings.HasPrefix(got, want) || !strings.Contains(got, "/eu-central-1/s3/aws4_request") {
		t.Errorf("authorization is %s", got)
	}
	if got := h.Get("X-Amz-Security-Token"); got != "session" {
		t.Errorf("token is %q", got)
	}
}

func TestObjectThatIsGoneIsToldFromOtherErrors(t *testing.T) {
	s := startS3(t)
	c := client(t, s.URL, keys())
	_, _, err := c.Read(within(t), location(t, "s3://rules/gone.yml"), "", 0)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	_, err = c.List(within(t), location(t, "s3://nobody/"))
	if err == nil || errors.Is(err, fs.ErrNotExist) || err.Error() != "the store answered 404 Not Found, NoSuchBucket" {
		t.Errorf("got %v", err)
	}
}

// scripted answers each request with the next of its responses.
func scripted(t *testing.T, responses ...http.HandlerFunc) *server {
	t.Helper()
	next := make(chan http.HandlerFunc, len(responses))
	for _, r := range responses {
		next <- r
	}
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case h := <-next:
			h(w, r)
		default:
			t.Errorf("one request too many: %s %s", r.Method, r.URL)
		}
	}))
}

func refuse(status int, code string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>hidden-message</Message></Error>", code)
	}
}

func give(content string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		_, _ = io.WriteString(w, content)
	}
}

func TestKnownVersionIsNotReadAgain(t *testing.T) {
	s := scripted(t, give("content", "ETag", `"1"`), func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("If-None-Match"); got != `"1"` {
			t.Errorf("the condition is %q", got)
		}
		w.WriteHeader(http.StatusNotModified)
	})
	c := client(t, s.URL, keys())
	_, version := read(t, c, "s3://rules/a.yml")
	if _, _, err := c.Read(within(t), location(t, "s3://rules/a.yml"), version, 0); !errors.Is(err, config.ErrUnchanged) {
		t.Errorf("got %v", err)
	}
}

func TestThrottledRequestIsRepeated(t *testing.T) {
	s := scripted(t,
		func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		refuse(503, "SlowDown"), refuse(429, "TooManyRequests"),
		give("content", "ETag", `"1"`))
	set := metrics.NewSet()
	c := clientOf(t, Options{Endpoint: s.URL, PathStyle: true, Env: func(name string) string { return keys()[name] }, Metrics: set})
	if got, _ := read(t, c, "s3://rules/a.yml"); got != "content" {
		t.Errorf("got %q", got)
	}
	if n := counted(set, "retries", "s3"); n != 3 {
		t.Errorf("%d retries are counted", n)
	}
	if n := counted(set, "requests", "s3"); n != 4 {
		t.Errorf("%d requests are counted", n)
	}
}

func TestContentThatBreaksOffIsReadAgain(t *testing.T) {
	s := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "begin")
	}, give("whole"))
	if got, _ := read(t, client(t, s.URL, keys()), "s3://rules/a.yml"); got != "whole" {
		t.Errorf("got %q", got)
	}
}

func TestRepetitionsEnd(t *testing.T) {
	s := serve(t, refuse(503, "SlowDown"))
	_, err := client(t, s.URL, keys()).List(within(t), location(t, "s3://rules/"))
	if want := "the store answered 503 Service Unavailable, SlowDown (no answer after 4 requests)"; err == nil || err.Error() != want {
		t.Errorf(" got %v\nwant %s", err, want)
	}
	if !errors.Is(err, config.ErrNoAnswer) {
		t.Error("it does not say that there was no answer")
	}
	if n := len(s.got()); n != attempts {
		t.Errorf("asked %d times", n)
	}
}

func TestUnreachableStoreGivesNoAnswer(t *testing.T) {
	s := startS3(t)
	s.Close()
	_, err := client(t, s.URL, keys()).List(within(t), location(t, "s3://rules/"))
	if !errors.Is(err, config.ErrNoAnswer) || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v", err)
	}
}

func TestHungStoreIsLeftWhenTheTimeIsUp(t *testing.T) {
	s := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := client(t, s.URL, keys()).List(ctx, location(t, "s3://rules/"))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestWrongCredentialsAreToldWithoutSecrets(t *testing.T) {
	for _, code := range []string{"InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied"} {
		s := scripted(t, refuse(403, code))
		_, err := client(t, s.URL, keys()).List(within(t), location(t, "s3://rules/"))
		if want := "the store answered 403 Forbidden, " + code; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestNothingButAWordIsRepeatedOfARefusal(t *testing.T) {
	s := scripted(t, refuse(400, "the key hidden-key is wrong"))
	_, _, err := client(t, s.URL, keys()).Read(within(t), location(t, "s3://rules/a.yml"), "", 0)
	if want := "the store answered 400 Bad Request"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestExpiredCredentialsAreRenewed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "credentials")
	write := func(id string) {
		text := "[default]\naws_access_key_id = " + id + "\naws_secret_access_key = hidden-key\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("OLD")
	s := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		write("NEW")
		refuse(400, "ExpiredToken")(w, r)
	}, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); !strings.Contains(got, "Credential=NEW/") {
			t.Errorf("the second request is signed %s", got)
		}
		give("content")(w, r)
	})
	set := metrics.NewSet()
	c := clientOf(t, Options{Endpoint: s.URL, PathStyle: true, CredentialsFile: file, Env: func(string) string { return "" }, Metrics: set})
	if got, _ := read(t, c, "s3://rules/a.yml"); got != "content" {
		t.Errorf("got %q", got)
	}
	if n := counted(set, "credential_renewals", "s3"); n != 1 {
		t.Errorf("%d renewals are counted", n)
	}
}

func TestBucketIsFollowedToItsRegion(t *testing.T) {
	for name, first := range map[string]http.HandlerFunc{
		"by header": refuse(301, "PermanentRedirect", "X-Amz-Bucket-Region", "eu-west-3"),
		"by body": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(400)
			_, _ = io.WriteString(w, "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-3</Region></Error>")
		},
	} {
		t.Run(name, func(t *testing.T) {
			inRegion := func(w http.ResponseWriter, r *http.Request) {
				if got := r.Header.Get("Authorization"); !strings.Contains(got, "/eu-west-3/s3/") {
					t.Errorf("signed for %s", got)
				}
				give("content")(w, r)
			}
			c := client(t, scripted(t, first, inRegion, inRegion).URL, keys())
			read(t, c, "s3://rules/a.yml")
			read(t, c, "s3://rules/b.yml")
		})
	}
}

func TestBucketThatIsSentAroundIsGivenUp(t *testing.T) {
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		region := "eu-west-1"
		if strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/") {
			region = "eu-west-2"
		}
		refuse(301, "PermanentRedirect", "X-Amz-Bucket-Region", region)(w, r)
	}))
	_, err := client(t, s.URL, keys()).List(within(t), location(t, "s3://rules/"))
	if err == nil || !strings.Contains(err.Error(), "301 Moved Permanently") || len(s.got()) != attempts {
		t.Errorf("got %v", err)
	}
}

func TestLargeObjectIsRefused(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(make([]byte, 1<<20))
	_ = z.Close()
	s := scripted(t, give(strings.Repeat("x", 2000)), give(packed.String(), "Content-Encoding", "gzip"),
		func(w http.ResponseWriter, r *http.Request) { // without a length
			w.(http.Flusher).Flush()
			give(strings.Repeat("x", 2000))(w, r)
		})
	c := client(t, s.URL, keys())
	for range 3 {
		_, _, err := c.Read(within(t), location(t, "s3://rules/a.yml"), "", 1900)
		if err == nil || err.Error() != "larger than the 1900 bytes allowed" {
			if err == nil || err.Error() != "unpack the object: larger than the 1900 bytes allowed" {
				t.Errorf("got %v", err)
			}
		}
	}
}

func TestPackedObjectIsUnpacked(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, "content")
	_ = z.Close()
	s := scripted(t, give(packed.String(), "Content-Encoding", "gzip"), give("this is no gzip at all", "Content-Encoding", "gzip"))
	c := client(t, s.URL, keys())
	if got, _ := read(t, c, "s3://rules/a.yml"); got != "content" {
		t.Errorf("got %q", got)
	}
	if _, _, err := c.Read(within(t), location(t, "s3://rules/b.yml"), "", 0); err == nil || err.Error() != "unpack the object: gzip: invalid header" {
		t.Errorf("got %v", err)
	}
}

func TestListingsThatCannotBeTrustedAreRefused(t *testing.T) {
	page := func(inner string) http.HandlerFunc { return give("<ListBucketResult>" + inner + "</ListBucketResult>") }
	for want, responses := range map[string][]http.HandlerFunc{
		"the listing cannot be read: is this an S3 server?":            {give("<html>welcome</html>")},
		"the listing cannot be read: it does not say where it goes on": {page("<IsTruncated>true</IsTruncated>")},
		"the listing cannot be read: a key is not encoded as it says":  {page("<EncodingType>url</EncodingType><Contents><Key>%zz</Key></Contents>")},
		"the store repeats a page of the listing":                      {page("<IsTruncated>true</IsTruncated><NextContinuationToken>a</NextContinuationToken>"), page("<IsTruncated>true</IsTruncated><NextContinuationToken>a</NextContinuationToken>")},
		fmt.Sprintf("more than %d objects", maxObjects):                {page(strings.Repeat("<Contents><Key>k</Key></Contents>", maxObjects+1))},
		fmt.Sprintf("larger than the %d bytes allowed", maxListPage):   {give(strings.Repeat(" ", maxListPage+1))},
	} {
		s := scripted(t, responses...)
		_, err := client(t, s.URL, keys()).List(within(t), location(t, "s3://rules/"))
		if err == nil || err.Error() != want {
			t.Errorf(" got %v\nwant %s", err, want)
		}
	}
}

func TestKeysAreDecodedAsTheListingSays(t *testing.T) {
	s := scripted(t, give("<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a%2Fb+c%2B%01.yml</Key></Contents></ListBucketResult>"))
	if diff := cmp.Diff([]string{"a/b c+\x01.yml"}, listed(t, client(t, s.URL, keys()), "s3://rules/a/")); diff != "" {
		t.Error(diff)
	}
	if got := s.last().URL.Query(); got.Get("list-type") != "2" || got.Get("prefix") != "a/" {
		t.Errorf("asked for %v", got)
	}
}

func TestMissingCredentialsSaySo(t *testing.T) {
	c := client(t, "http://127.0.0.1:1", map[string]string{"AWS_EC2_METADATA_DISABLED": "true"})
	_, err := c.List(within(t), location(t, "s3://rules/"))
	want := `find credentials: none in the environment or in profile "default", and no instance to ask: AWS_EC2_METADATA_DISABLED is set`
	if err == nil || err.Error() != want {
		t.Errorf(" got %v\nwant %s", err, want)
	}
}

func TestEndpointMayComeFromTheSettings(t *testing.T) {
	s := startS3(t)
	s.put("a.yml", "x")
	env := keys()
	env["AWS_ENDPOINT_URL_S3"] = s.URL
	if got := listed(t, client(t, "", env), "s3://rules/"); len(got) != 1 {
		t.Errorf("got %v", got)
	}
}

func TestEndpointMustBeAnAddress(t *testing.T) {
	_, err := New(Options{Endpoint: "minio:9000"})
	if err == nil || err.Error() != "endpoint of S3: URL must begin with http:// or https://" {
		t.Errorf("got %v", err)
	}
}

func TestAddressOfABucket(t *testing.T) {
	for _, c := range []struct {
		endpoint       string
		path           bool
		region, bucket string
		key, want      string
	}{
		{"", true, "us-east-1", "rules", "a b.yml", "https://rules.s3.us-east-1.amazonaws.com/a%20b.yml"},
		{"", false, "us-east-1", "my.rules", "a.yml", "https://s3.us-east-1.amazonaws.com/my.rules/a.yml"},
		{"", true, "cn-north-1", "rules", "", "https://rules.s3.cn-north-1.amazonaws.com.cn/"},
		{"http://minio:9000", true, "", "rules", "a.yml", "http://minio:9000/rules/a.yml"},
		{"http://minio:9000/", true, "", "rules", "", "http://minio:9000/rules"},
		{"http://minio:9000/s3", true, "", "rules", "a+b.yml", "http://minio:9000/s3/rules/a%2Bb.yml"},
		{"https://oss.example.com", false, "", "rules", "d/a.yml", "https://rules.oss.example.com/d/a.yml"},
		{"https://user:pw@oss.example.com?x=1#f", false, "", "rules", "", "https://rules.oss.example.com/"},
	} {
		u, err := s3Address(c.endpoint, c.path, c.region, c.bucket, c.key)
		if err != nil {
			t.Fatal(err)
		}
		if u.String() != c.want {
			t.Errorf("got %s, want %s", u, c.want)
		}
	}
}

func FuzzS3Page(f *testing.F) {
	f.Add([]byte("<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a%2Fb</Key><ETag>&quot;1&quot;</ETag><Size>3</Size></Contents></ListBucketResult>"))
	f.Add([]byte("<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		page, err := parseS3Page(data)
		if (page == nil) == (err == nil) {
			t.Errorf("got %v, %v", page, err)
		}
	})
}

func FuzzS3Key(f *testing.F) {
	f.Add("a/b c+%.yml")
	f.Fuzz(func(t *testing.T, key string) {
		u, err := s3Address("http://s3.example.com", true, "", "rules", key)
		if err != nil {
			t.Fatal(err)
		}
		back, err := url.Parse(u.String())
		if err != nil || back.Path != "/rules/"+key && key != "" || back.EscapedPath() != u.RawPath {
			t.Errorf("%q becomes %s, which is %q, %v", key, u, back.Path, err)
		}
	})
}
