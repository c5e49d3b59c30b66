package config

import (
	"strings"
	"testing"
)

func TestLocationsAreReadAsTheyAreWritten(t *testing.T) {
	for raw, want := range map[string]Location{
		"s3://bucket":                 {"s3", "bucket", ""},
		"s3://bucket/":                {"s3", "bucket", ""},
		"s3://my.bucket_1/dir/rule_":  {"s3", "my.bucket_1", "dir/rule_"},
		"gs://bucket/a?b#c%20*.yml":   {"gs", "bucket", "a?b#c%20*.yml"},
		"gcs://vmalert-rules/t_1/":    {"gs", "vmalert-rules", "t_1/"},
		"s3://bucket//leading/slash/": {"s3", "bucket", "/leading/slash/"},
	} {
		got, err := ParseLocation(raw)
		if err != nil || got != want || !IsLocation(raw) {
			t.Errorf("%s is %+v, %v", raw, got, err)
		}
	}
}

func TestBadLocationsAreRefusedWithoutRepeatingThem(t *testing.T) {
	for _, raw := range []string{"s3://", "s3:///key", "s3://user:hidden@bucket/key", "gs://hidden?x=1", "s3://" + strings.Repeat("hidden", 50), "s3://..", "http://hidden/", "hidden"} {
		if l, err := ParseLocation(raw); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s is %+v, %v", raw, l, err)
		}
	}
	for _, pattern := range []string{"dir/s3.yml", "s3:/bucket", "S3://bucket/", "http://s3/", "*.yml"} {
		if IsLocation(pattern) {
			t.Errorf("%s is taken for object storage", pattern)
		}
	}
}

func FuzzLocation(f *testing.F) {
	f.Add("s3://bucket/key")
	f.Add("gcs://b/%{X}")
	f.Fuzz(func(t *testing.T, raw string) {
		l, err := ParseLocation(raw)
		if err != nil {
			return
		}
		if again, err := ParseLocation(l.String()); err != nil || again != l {
			t.Errorf("%q is %+v, which reads as %+v, %v", raw, l, again, err)
		}
	})
}
