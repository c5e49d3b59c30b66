package discovery

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPatternsMatchWhatThoseOfGoDo(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{
		"a.json", "b.json", ".hidden.json", "[a].json", "{a}.json", `back\slash.json`, "d1/a.json", "d1/a.yml",
		"d2/a.json", "d[3]/a.json", "{d}/a.json", "d1/sub.json/x.json",
	} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Symlink("d1", "linked"), os.Symlink("nowhere", "dangling.json")); err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{
		"*.json", "a.json", "gone.json", "?.json", "[ab].json", "[^a].json", "[!a].json", `\[a].json`, "{a}.json", "{a,b}.json",
		"**.json", "d1/*.json", "d?/a.json", "d[12]/*", `d\[3\]/*.json`, "{d}/*.json", "linked/*.yml", "gone/*.json", "a.json/*.json",
		"*/*.json", "dangling.json", here + "/d*/a.*", here + "//d1/../d2/*.json", "[a", "d[/a.json", "",
	} {
		want, wantErr := filepath.Glob(pattern)
		got, err := glob(pattern)
		if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (wantErr == nil) {
			t.Errorf("%s: error is %v, want %v (-want +got):\n%s", pattern, err, wantErr, diff)
		}
	}
}
