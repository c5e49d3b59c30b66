package web

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"tocsin/rules"
)

//go:embed templates/*.html
var templateFiles embed.FS

// embeddedPages returns the templates of the pages, which are parsed when somebody
// first looks at one. They are part of the program: an error is one of its own.
var embeddedPages = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(templateFiles, "templates/*.html"))
})

// pageBuilder collects what a page shows, or returns an error that becomes a
// page itself.
type pageBuilder func(q pageRequest) (pageContent, error)

type pageRequest struct {
	form url.Values
	now  time.Time
	// Pages may be served below a prefix that only a proxy knows, so links are
	// relative: base leads to /vmalert/, root to what is above it.
	base, root string
}

// pageContent is what one page shows.
type pageContent struct {
	Template string // without .html
	Title    string
	Data     any
}

// view is what the templates see.
type view struct {
	pageContent
	Base, Root string // as of pageRequest
	Version    string
	Static     string // version of the static files
	Now        string
	Firing     int    // alerts, of all groups
	Trouble    string // that concerns every page; the overview says more
}

// contentPolicy allows what the pages consist of and nothing else.
const contentPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// page returns the handler of the page that build makes.
func (s *Server) page(build pageBuilder) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := newPageRequest(r.URL.Path, time.Now())
		status := http.StatusOK
		content, err := q.build(r, build)
		if err != nil {
			status, content = errorPage(err)
		}
		s.render(w, r, status, view{
			pageContent: content, Base: q.base, Root: q.root, Version: s.opts.Version,
			Static: s.staticVersion, Now: stamp(q.now),
			Firing: countFiring(s.opts.State.Groups()), Trouble: s.trouble(),
		})
	}
}

func countFiring(groups []*rules.Snapshot) int {
	n := 0
	for _, g := range groups {
		for i := range g.Rules {
			n += g.Rules[i].Firing()
		}
	}
	return n
}

// trouble says in a line why what the pages show may not be what it should be.
func (s *Server) trouble() string {
	if err := s.opts.Control.Ready(); err != nil {
		return "tocsin is not ready."
	}
	if s.opts.Control.Stale() != nil {
		return staleTitle(s.opts.Control.Reloads())
	}
	return ""
}

func newPageRequest(path string, now time.Time) pageRequest {
	if strings.HasPrefix(path, vmalertDir+"/") {
		return pageRequest{now: now, base: "./", root: "../"}
	}
	return pageRequest{now: now, base: "vmalert/", root: "./"}
}

func (q pageRequest) build(r *http.Request, build pageBuilder) (pageContent, error) {
	if err := r.ParseForm(); err != nil {
		return pageContent{}, badRequest("cannot read the parameters: %s", err)
	}
	q.form = r.Form
	return build(q)
}

// render answers with a whole page or, should a template fail, with an error.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, v view) {
	var page bytes.Buffer
	if err := s.pages().ExecuteTemplate(&page, v.Template+".html", v); err != nil {
		s.opts.Log.Error("page cannot be rendered", "page", v.Template, "err", err)
		plainError(w, http.StatusInternalServerError, "the page cannot be rendered; the log says why")
		return
	}
	h := w.Header()
	setDefault(h, "Content-Security-Policy", contentPolicy)
	setDefault(h, "X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	out := s.open(w, r, "text/html; charset=utf-8")
	defer out.close()
	out.status = status
	_, _ = out.Write(page.Bytes()) // the client went away; nobody is left to tell
}

// setDefault sets a header that whoever serves the handler has not set.
func setDefault(h http.Header, name, value string) {
	if h.Get(name) == "" {
		h.Set(name, value)
	}
}

// errorData is what the error page shows.
type errorData struct {
	Text    string
	Missing bool // what the link names does not exist (any more)
	// Group is where it was looked for; "" if that is gone, too.
	Group   string
	GroupID uint64
}

func errorPage(err error) (int, pageContent) {
	status, _ := statusOf(err)
	c := pageContent{Template: "error", Title: "Cannot show this"}
	data := errorData{Text: err.Error()}
	if status == http.StatusNotFound {
		c.Title = "Not found"
		data.Missing = true
	}
	if e, ok := errors.AsType[*apiError](err); ok && e.group != nil {
		data.Group, data.GroupID = e.group.Group.Key.Name, e.group.ID
	}
	c.Data = data
	return status, c
}

// when is a moment as a page shows it.
type when struct{ Stamp, Ago string }

func (q pageRequest) when(t rules.Instant) when {
	if t == 0 {
		return when{Ago: "never"}
	}
	return when{Stamp: stamp(t.Time()), Ago: ago(q.now.Sub(t.Time()))}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// ago says how long ago something was, in whole seconds or larger units.
func ago(d time.Duration) string {
	d = d.Truncate(time.Second)
	if d < 0 {
		return "in " + short(-d)
	}
	return short(d) + " ago"
}

// short writes d for people: two units at most, no zeros.
func short(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= day:
		return units(d, day, "d", time.Hour, "h")
	case d >= time.Hour:
		return units(d, time.Hour, "h", time.Minute, "m")
	case d >= time.Minute:
		return units(d, time.Minute, "m", time.Second, "s")
	case d >= time.Second:
		return d.Truncate(10 * time.Millisecond).String()
	}
	return d.Round(time.Microsecond).String()
}

func units(d, big time.Duration, bigName string, small time.Duration, smallName string) string {
	s := itoa(int(d/big)) + bigName
	if rest := d % big / small; rest > 0 {
		s += itoa(int(rest)) + smallName
	}
	return s
}
