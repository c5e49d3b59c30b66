package typo

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNearest(t *testing.T) {
	flags := []string{"datasource.url", "datasource.headers", "dryRun", "notifier.url", "rule", "tls"}
	keys := []string{"name", "interval", "limit", "labels", "rules", "expr", "for", "record"}
	for _, c := range []struct {
		candidates []string
		name, want string
	}{
		{flags, "datasource.URL", "datasource.url"},
		{flags, "datasource_url", "datasource.url"},
		{flags, "datasorce.ulr", "datasource.url"},
		{flags, "datasource.header", "datasource.headers"},
		{flags, "DRYRUN", "dryRun"},
		{flags, "dry-run", "dryRun"},
		{flags, "rules", "rule"},
		{flags, "ruels", "rule"},
		{flags, "ru", "rule"},
		{flags, "tsl", "tls"},
		{flags, "notify.url", "notifier.url"},
		{flags, "configuration", ""},
		{flags, "", ""},
		{keys, "Intervall", "interval"},
		{keys, "lables", "labels"},
		{keys, "fro", "for"},
		{keys, "rec", ""},
		{keys, "reco", "record"},
		{keys, "time", ""},
		{keys, "limt", "limit"},
		{keys, strings.Repeat("interval", 1<<17), ""},
		{[]string{"ab", "ac"}, "ad", "ab"},
		{nil, "x", ""},
	} {
		if got := Nearest(c.name, c.candidates); got != c.want {
			t.Errorf("Nearest(%.40q) = %q, want %q", c.name, got, c.want)
		}
	}
}

func TestWhatIsToldInOtherCaseIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		candidates := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z.]{1,12}`), 1, 8, rapid.ID).Draw(t, "candidates")
		meant := rapid.SampledFrom(candidates).Draw(t, "meant")
		if got := Nearest(strings.ToUpper(meant), candidates); got != meant {
			t.Errorf("%q becomes %q", strings.ToUpper(meant), got)
		}
	})
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"abc", "abc", 0}, {"", "abc", 3}, {"abc", "", 3},
		{"abc", "abd", 1}, {"abc", "ab", 1}, {"url", "ulr", 1}, {"kitten", "sitting", 3},
	} {
		if got := mistakes(c.a, c.b); got != c.want {
			t.Errorf("mistakes(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
