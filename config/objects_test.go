package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// bucket is object storage with one bucket.
type bucket struct {
	mu       sync.Mutex
	objects  map[string]string // content by key
	untagged bool              // listings tell no versions
	listErr  error
	readErr  map[string]error // by key
	reads    []string         // keys with the version that was known
}

func newBucket(keys ...string) *bucket {
	b := &bucket{objects: map[string]string{}, readErr: map[string]error{}}
	for _, key := range keys {
		b.put(key, key)
	}
	return b
}

// put stores a file with one group.
func (b *bucket) put(key, group string) {
	group = strings.NewReplacer("/", "_", ".yml", "").Replace(group)
	b.objects[key] = groupFile(group)
}

func versionOfContent(content string) string {
	return fmt.Sprintf("v%d-%s", len(content), strings.TrimSpace(content))
}

func (b *bucket) List(ctx context.Context, prefix Location) ([]Object, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.listErr != nil {
		return nil, b.listErr
	}
	var all []Object
	for key, content := range b.objects {
		if strings.HasPrefix(key, prefix.Key) {
			o := Object{Key: key, Size: int64(len(content))}
			if !b.untagged {
				o.Version = versionOfContent(content)
			}
			all = append(all, o)
		}
	}
	return all, ctx.Err()
}

func (b *bucket) Read(ctx context.Context, at Location, known string, most int64) ([]byte, string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reads = append(b.reads, strings.TrimSpace(at.Key+" "+known))
	if err := b.readErr[at.Key]; err != nil {
		return nil, "", err
	}
	content := b.objects[at.Key]
	if version := versionOfContent(content); version != known {
		return []byte(content), version, ctx.Err()
	}
	return nil, "", fmt.Errorf("still the same: %w", ErrUnchanged)
}

// taken returns the reads since the last call, in order of keys.
func (b *bucket) taken() []string {
	all := b.reads
	b.reads = nil
	slices.Sort(all)
	return all
}

func load(t *testing.T, l *Loader) (*Set, string) {
	t.Helper()
	set, err := l.Load(context.Background())
	if set == nil {
		t.Fatal(err)
	}
	if err == nil {
		return set, ""
	}
	return set, err.Error()
}

func TestObjectsAreReadInOrderUnderTheirFullNames(t *testing.T) {
	b := newBucket("dir/b.yml", "dir/a.yml", "dir/deep/c.yml", "other.yml")
	b.objects["dir/"] = "" // as consoles make folders
	l := NewLoader(Options{Patterns: []string{"s3://rules/other", "s3://rules/dir/", "gcs://rules/none", "s3://rules/"}, Objects: b})
	set, problems := load(t, l)
	want := []string{"s3://rules/other.yml;other", "s3://rules/dir/a.yml;dir_a", "s3://rules/dir/b.yml;dir_b", "s3://rules/dir/deep/c.yml;dir_deep_c"}
	if diff := cmp.Diff(want, keys(set.Groups)); diff != "" || problems != "" {
		t.Error(diff, problems)
	}
	if diff := cmp.Diff([]string{"gcs://rules/none"}, set.Unmatched); diff != "" {
		t.Error(diff)
	}
	set, _ = load(t, NewLoader(Options{Patterns: []string{"s3://rules/dir/"}, Objects: b, StripPath: true}))
	if diff := cmp.Diff([]string{"a.yml;dir_a", "b.yml;dir_b", "c.yml;dir_deep_c"}, keys(set.Groups)); diff != "" {
		t.Error(diff)
	}
}

func TestUnchangedObjectIsNotAskedFor(t *testing.T) {
	b := newBucket("a.yml", "b.yml")
	l := NewLoader(Options{Patterns: []string{"s3://rules/"}, Objects: b})
	first, _ := load(t, l)
	b.taken()
	b.put("b.yml", "edited")
	second, _ := load(t, l)
	if got := b.taken(); len(got) != 1 || !strings.HasPrefix(got[0], "b.yml ") {
		t.Errorf("read are %q", got)
	}
	if diff := cmp.Diff([]string{"s3://rules/a.yml;a", "s3://rules/b.yml;edited"}, keys(second.Groups)); diff != "" {
		t.Error(diff)
	}
	if &first.Groups[0].Rules[0] != &second.Groups[0].Rules[0] {
		t.Error("an unchanged object is parsed again")
	}
}

func TestUnchangedObjectIsAskedForWithItsVersionIfListingsTellNone(t *testing.T) {
	b := newBucket("a.yml")
	b.untagged = true
	l := NewLoader(Options{Patterns: []string{"s3://rules/"}, Objects: b})
	first, _ := load(t, l)
	b.taken()
	second, problems := load(t, l)
	if got, want := b.taken(), "a.yml "+versionOfContent(b.objects["a.yml"]); len(got) != 1 || got[0] != want || problems != "" {
		t.Errorf("read are %q, %s", got, problems)
	}
	if &first.Groups[0].Rules[0] != &second.Groups[0].Rules[0] {
		t.Error("an unchanged object is parsed again")
	}
}

func TestBrokenObjectStopsNoOther(t *testing.T) {
	b := newBucket("a.yml", "b.yml", "c.yml")
	b.objects["b.yml"] = "groups: [{}]"
	b.readErr["c.yml"] = errors.New("the store answered 403 Forbidden, AccessDenied")
	l := NewLoader(Options{Patterns: []string{"s3://rules/"}, Objects: b})
	set, problems := load(t, l)
	want := "s3://rules/b.yml:1: a group needs a name\ns3://rules/c.yml: the store answered 403 Forbidden, AccessDenied"
	if diff := cmp.Diff(want, problems); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"s3://rules/a.yml;a"}, keys(set.Groups)); diff != "" || set.Incomplete {
		t.Error(diff)
	}
	b.taken()
	if _, again := load(t, l); again != problems {
		t.Errorf("later it is %s", again)
	}
	if diff := cmp.Diff([]string{"c.yml"}, b.taken()); diff != "" {
		t.Errorf("a broken object that is unchanged is read again: %s", diff)
	}
}

func TestUnreachableStoreRemovesAndForgetsNothing(t *testing.T) {
	b := newBucket("a.yml", "b.yml")
	b.objects["broken.yml"] = "groups: [{}]"
	l := NewLoader(Options{Patterns: []string{"gcs://rules/"}, Objects: b})
	first, before := load(t, l)
	b.listErr = fmt.Errorf("connection refused (%w after 4 requests)", ErrNoAnswer)
	set, problems := load(t, l)
	if want := "gs://rules/: list the objects: connection refused (no answer after 4 requests)"; problems != want || !set.Incomplete {
		t.Errorf(" got %s\nwant %s", problems, want)
	}
	b.listErr = nil
	b.taken()
	third, problems := load(t, l)
	if got := b.taken(); len(got) != 0 || problems != before {
		t.Errorf("after the outage %q are read, %s", got, problems)
	}
	if &first.Groups[0].Rules[0] != &third.Groups[0].Rules[0] {
		t.Error("an unchanged object is parsed again after the outage")
	}
}

func TestObjectThatWasUnreadableComesBackUnread(t *testing.T) {
	b := newBucket("a.yml")
	b.untagged = true
	l := NewLoader(Options{Patterns: []string{"s3://rules/"}, Objects: b})
	load(t, l)
	b.readErr["a.yml"] = errors.New("the store answered 500")
	if _, problems := load(t, l); problems != "s3://rules/a.yml: the store answered 500" {
		t.Errorf("got %s", problems)
	}
	delete(b.readErr, "a.yml")
	b.taken()
	set, problems := load(t, l)
	if got := b.taken(); len(got) != 1 || !strings.Contains(got[0], " v") || problems != "" || len(set.Groups) != 1 {
		t.Errorf("read are %q, %s", got, problems)
	}
}

func TestObjectThatVanishesBeforeItIsReadIsGone(t *testing.T) {
	b := newBucket("a.yml", "b.yml")
	b.readErr["a.yml"] = fmt.Errorf("%w: the store answered 404", fs.ErrNotExist)
	set, problems := load(t, NewLoader(Options{Patterns: []string{"s3://rules/"}, Objects: b}))
	if diff := cmp.Diff([]string{"s3://rules/b.yml;b"}, keys(set.Groups)); diff != "" || problems != "" || set.Incomplete {
		t.Error(diff, problems)
	}
}

func TestLargeObjectIsNotAskedFor(t *testing.T) {
	b := newBucket("a.yml")
	_, problems := load(t, NewLoader(Options{Patterns: []string{"s3://rules/"}, Objects: b, MaxSize: 10}))
	if problems != "s3://rules/a.yml: larger than the 10 bytes allowed" || len(b.taken()) != 0 {
		t.Errorf("got %s", problems)
	}
}

// hung answers listings and nothing else.
type hung struct {
	*bucket
	asked int
}

func (h *hung) Read(ctx context.Context, _ Location, _ string, _ int64) ([]byte, string, error) {
	h.mu.Lock()
	h.asked++
	h.mu.Unlock()
	<-ctx.Done()
	return nil, "", ctx.Err()
}

func TestHungStoreHoldsALoadForLittleMoreThanItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hung{bucket: newBucket()}
		for i := range 1000 {
			h.put(fmt.Sprintf("%03d.yml", i), "g")
		}
		began := time.Now()
		set, err := Load(t.Context(), Options{Patterns: []string{"s3://rules/"}, Objects: h, Timeout: 10 * time.Second})
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("the load took %s", took)
		}
		if h.asked >= 3*patience {
			t.Errorf("%d objects were asked for", h.asked)
		}
		var problems Problems
		if !errors.As(err, &problems) || len(problems) != 1000 || len(set.Groups) != 0 {
			t.Fatalf("got %d problems", len(problems))
		}
		if got, want := problems[0].Error(), "s3://rules/000.yml: no complete answer within 10s"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got, want := problems[999].Error(), "s3://rules/999.yml: not asked for: no answer to requests before"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestOneObjectWithoutAnAnswerStopsNoOther(t *testing.T) {
	b := newBucket()
	for i := range 200 {
		key := fmt.Sprintf("%03d.yml", i)
		b.put(key, "g")
		if i%20 == 0 { // fewer than are borne in a row, whatever the order
			b.readErr[key] = ErrNoAnswer
		}
	}
	set, _ := load(t, NewLoader(Options{Patterns: []string{"s3://rules/"}, Objects: b}))
	if len(set.Groups) != 190 {
		t.Errorf("%d of 190 groups are loaded", len(set.Groups))
	}
}

func TestObjectsNeedAStore(t *testing.T) {
	set, problems := load(t, NewLoader(Options{Patterns: []string{"s3://rules/dir/", "s3://key:hidden@rules/"}}))
	want := "s3://: not a valid bucket name: write s3://bucket/prefix\ns3://rules/dir/: object storage cannot be read here"
	if problems != want || !set.Incomplete {
		t.Errorf(" got %s\nwant %s", problems, want)
	}
}

func TestUnchangedURLIsNotSentAgain(t *testing.T) {
	old := time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)
	for name, c := range map[string]struct{ header, condition, value string }{
		"by tag":  {"ETag", "If-None-Match", `W/"1"`},
		"by time": {"Last-Modified", "If-Modified-Since", old},
	} {
		t.Run(name, func(t *testing.T) {
			content, sent := "a", 0
			base, transport := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get(c.condition) == c.value && content == "a" {
					w.WriteHeader(http.StatusNotModified)
					return
				}
				sent++
				w.Header().Set(c.header, c.value)
				_, _ = w.Write([]byte(groupFile(content)))
			})
			l := NewLoader(Options{Patterns: []string{base + "/rules"}, Transport: transport})
			first, _ := load(t, l)
			second, problems := load(t, l)
			if sent != 1 || problems != "" || &first.Groups[0].Rules[0] != &second.Groups[0].Rules[0] {
				t.Errorf("an unchanged URL is sent %d times, %s", sent, problems)
			}
			content = "b"
			if third, _ := load(t, l); sent != 2 || third.Groups[0].Key.Name != "b" {
				t.Errorf("after a change: %v, sent %d times", keys(third.Groups), sent)
			}
		})
	}
}

func TestTimeOfAFreshURLIsNotReliedOn(t *testing.T) {
	conditions := 0
	base, transport := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-Modified-Since") != "" {
			conditions++
		}
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		_, _ = w.Write([]byte(groupFile("a")))
	})
	l := NewLoader(Options{Patterns: []string{base + "/rules"}, Transport: transport})
	load(t, l)
	load(t, l)
	if conditions != 0 {
		t.Error("two contents of one second would not be told apart")
	}
}

func TestUnaskedNotModifiedIsAProblem(t *testing.T) {
	base, transport := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
	_, problems := load(t, NewLoader(Options{Patterns: []string{base + "/rules"}, Transport: transport}))
	if want := base + "/rules: the server answered 304 Not Modified"; problems != want {
		t.Errorf("got %s, want %s", problems, want)
	}
}

// slow takes a second for each object.
type slow struct{ *bucket }

func (s slow) Read(ctx context.Context, at Location, known string, most int64) ([]byte, string, error) {
	time.Sleep(time.Second)
	return s.bucket.Read(ctx, at, known, most)
}

func TestObjectsAreReadConcurrently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slow{newBucket()}
		for i := range 10 * remoteReads {
			s.put(fmt.Sprintf("%03d.yml", i), "g")
		}
		began := time.Now()
		set, problems := load(t, NewLoader(Options{Patterns: []string{"s3://rules/"}, Objects: s}))
		if took := time.Since(began); took != 10*time.Second || len(set.Groups) != 10*remoteReads || problems != "" {
			t.Errorf("%d groups took %s, %s", len(set.Groups), took, problems)
		}
	})
}
