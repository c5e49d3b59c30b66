package datasource

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

// manyPoints is an answer of series with eight labels and steps points each, a
// minute apart, and the times it is about.
func manyPoints(series, steps int) (body string, times grid) {
	var b strings.Builder
	b.WriteString(`{"status":"success","data":{"resultType":"matrix","result":[`)
	from := noon.Unix()
	for i := range series {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"metric":{"__name__":"http_requests_total","cluster":"eu-west-1","code":"200","handler":"/api/v1/query",`+
			`"instance":"10.0.%d.%d:9100","job":"api-server","method":"GET","pod":"api-server-5d8f7c-%05d"},"values":[`,
			i/250, i%250, i)
		for n := range steps {
			if n > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `[%d,"%d.25"]`, from+int64(n)*60, i*n)
		}
		b.WriteString(`]}`)
	}
	b.WriteString(`]}}`)
	ms := noon.UnixMilli()
	return b.String(), grid{ms, ms + int64(max(steps, 1)-1)*60_000, time.Minute.Milliseconds()}
}

func BenchmarkDecodeRange(b *testing.B) {
	for _, size := range []struct{ series, steps int }{{0, 1}, {1, 60}, {1000, 240}, {1, 10_000}} {
		b.Run(fmt.Sprintf("series=%d/steps=%d", size.series, size.steps), func(b *testing.B) {
			text, times := manyPoints(size.series, size.steps)
			body := []byte(text)
			r := bytes.NewReader(body)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				r.Reset(body)
				ans, err := decodeRange(r, defaultMaxResponseSize, times)
				if err != nil || len(ans.tracks) != size.series {
					b.Fatal(len(ans.tracks), err)
				}
			}
		})
	}
}
