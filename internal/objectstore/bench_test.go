package objectstore

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkS3Page reads a full page of a listing, as a check of rules that did not
// change does for every thousand of them.
func BenchmarkS3Page(b *testing.B) {
	var page strings.Builder
	page.WriteString("<ListBucketResult><EncodingType>url</EncodingType>")
	for i := range 1000 {
		fmt.Fprintf(&page, "<Contents><Key>team/rules/%04d.yml</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"+
			"<ETag>&quot;0123456789abcdef0123456789abcdef&quot;</ETag><Size>1234</Size><StorageClass>STANDARD</StorageClass></Contents>", i)
	}
	page.WriteString("</ListBucketResult>")
	data := []byte(page.String())
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		p, err := parseS3Page(data)
		if err != nil || len(p.objects) != 1000 {
			b.Fatal(err)
		}
	}
}
