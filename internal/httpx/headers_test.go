package httpx

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseHeaders(t *testing.T) {
	got, err := ParseHeaders([]string{"X-Scope-OrgID: team", "my-auth:foo:bar ", "Empty:", "My-Auth: last wins"})
	if err != nil {
		t.Fatal(err)
	}
	want := http.Header{"X-Scope-Orgid": {"team"}, "My-Auth": {"last wins"}, "Empty": {""}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestParseHeadersRefusesWithoutRepeating(t *testing.T) {
	for _, line := range []string{"hunter2", ": hunter2", "a b: hunter2", "A: hunter2\r\nB: c", "Ä: hunter2"} {
		_, err := ParseHeaders([]string{"Fine: yes", line})
		if err == nil {
			t.Errorf("%q is taken", line)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "header 2") {
			t.Errorf("%q: %v", line, err)
		}
	}
}

func FuzzParseHeaders(f *testing.F) {
	f.Add("Name: value")
	f.Add("a\x00: b")
	f.Fuzz(func(t *testing.T, line string) {
		h, err := ParseHeaders([]string{line})
		if err != nil {
			return
		}
		req, err := http.NewRequest(http.MethodGet, "http://host/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = h
		var b strings.Builder
		if err := req.Write(&b); err != nil {
			t.Errorf("%q makes a request that cannot be written: %v", line, err)
		}
	})
}
