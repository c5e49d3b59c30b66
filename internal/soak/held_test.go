package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const stacks = `goroutine profile: total 1012
1001 @ 0x1 0x2
#	0x1	tocsin/rules.(*loop).wait+0x191	/src/rules/loop.go:1

3 @ 0x3 0x4
#	0x3	net.(*conn).Read+0x44			/go/src/net/net.go:1
#	0x4	net/http.(*persistConn).Read+0x44	/go/src/net/http/transport.go:1
#	0x4	net/http.(*persistConn).readLoop+0x44	/go/src/net/http/transport.go:1

3 @ 0x5
#	0x5	net/http.(*persistConn).writeLoop+0xe5	/go/src/net/http/transport.go:2

2 @ 0x9
#	0x9	net/http.(*persistConn).roundTrip+0x1	/go/src/net/http/transport.go:3
#	0xa	tocsin/internal/remotewrite.(*sender).run+0x1	/src/sender.go:3

2 @ 0x6
#	0x6	net/http.(*conn).serve+0xe5	/go/src/net/http/server.go:1

1 @ 0x7
#	0x7	main.main+0xe5	/src/main.go:1

`

func TestGoroutinesOfConnectionsAreCountedApart(t *testing.T) {
	others, connections, err := countGoroutines([]byte(stacks))
	if err != nil || others != 1006 || connections != 6 {
		t.Errorf("got %d and %d, %v; want 1006 and 6", others, connections, err)
	}
	first := "goroutine profile: total 2\n2 @ 0x3\n#\t0x3\tnet/http.(*persistConn).readLoop+0x44\n\n"
	others, connections, err = countGoroutines([]byte(first))
	if err != nil || others != 0 || connections != 2 {
		t.Errorf("got %d and %d, %v; want 0 and 2", others, connections, err)
	}
	if _, _, err := countGoroutines([]byte("404 page not found\n")); err == nil {
		t.Error("what is no profile was read")
	}
}

func TestBucketsOfHistogramsAreNoLeak(t *testing.T) {
	text := `# TYPE a counter
a{group="g",file="x vmrange=y"} 1
a{group="h"} 1

took_bucket{vmrange="1.0e-03...1.1e-03"} 3
took_sum 5
took_count 7
`
	want := map[string]int{"a": 2, "took_sum": 1, "took_count": 1}
	if diff := cmp.Diff(want, countSeries([]byte(text))); diff != "" {
		t.Error(diff)
	}
}

func TestLeastOfSamplesCounts(t *testing.T) {
	a, b := held{objects: 1, bytes: 20, goroutines: 3, connections: 40}, held{objects: 10, bytes: 2, goroutines: 30, connections: 4}
	want := held{objects: 1, bytes: 2, goroutines: 3, connections: 4}
	if diff := cmp.Diff(want, a.least(b), cmp.AllowUnexported(held{})); diff != "" {
		t.Error(diff)
	}
}
