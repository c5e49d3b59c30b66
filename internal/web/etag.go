package web

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"strings"

	"tocsin/rules"
)

// A tag names an answer of one URL, so that a client that has it need not be sent
// it again: answers that differ never have the same tag. Tags are weak, as they
// name what is said and not how it is compressed.

// unchanged gives r's answer its tag and reports whether the client has that
// answer already; it has been told so then.
func unchanged(w http.ResponseWriter, r *http.Request, tag string) bool {
	if tag == "" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	h := w.Header()
	h.Set("ETag", tag)
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-cache") // which means: ask whether it is still so
	}
	if !names(r.Header.Values("If-None-Match"), tag) {
		return false
	}
	h.Add("Vary", "Accept-Encoding")
	w.WriteHeader(http.StatusNotModified)
	return true
}

// names reports whether tag is among those of If-None-Match headers, whether
// they are weak there or not.
func names(headers []string, tag string) bool {
	tag = strings.TrimPrefix(tag, "W/")
	for _, header := range headers {
		for t := range strings.SplitSeq(header, ",") {
			if t = strings.TrimSpace(t); t == "*" || strings.TrimPrefix(t, "W/") == tag {
				return true
			}
		}
	}
	return false
}

// textTag returns the tag of an answer that is this text.
func textTag(text []byte) string {
	sum := sha256.Sum256(text)
	return `W/"` + hex.EncodeToString(sum[:16]) + `"`
}

// tagger makes tags of answers from the serials of the snapshots they are made
// of, which costs nothing beside making the answers.
type tagger struct {
	parts []byte
	// anonymous: one of the snapshots has no serial, so there can be no tag.
	anonymous bool
}

// newTagger returns a tagger for about n snapshots. Serials begin anew with each
// process, so what tells this one from others comes first.
func (s *Server) newTagger(n int) *tagger {
	t := &tagger{parts: make([]byte, 0, len(s.self.nonce)+8*n+64)}
	t.parts = append(t.parts, s.self.nonce[:]...)
	return t
}

func (t *tagger) addSnapshot(s *rules.Snapshot) {
	t.anonymous = t.anonymous || s.Serial == 0
	t.parts = binary.LittleEndian.AppendUint64(t.parts, s.Serial)
}

func (t *tagger) addNumber(n int) {
	t.parts = binary.LittleEndian.AppendUint64(t.parts, uint64(n))
}

func (t *tagger) addText(s string) {
	t.addNumber(len(s))
	t.parts = append(t.parts, s...)
}

// tag returns the tag of what was added, or "".
func (t *tagger) tag() string {
	if t.anonymous {
		return ""
	}
	return textTag(t.parts)
}

// snapshotTag returns the tag of an answer made of g alone.
func (s *Server) snapshotTag(g *rules.Snapshot) string {
	t := s.newTagger(1)
	t.addSnapshot(g)
	return t.tag()
}

// tag returns the tag of the page. Which rules of its groups it has follows from
// the groups and the request, which is the same for all answers of one URL.
func (p *page) tag(t *tagger) string {
	for _, m := range p.matches {
		t.addSnapshot(m.group)
	}
	t.addNumber(p.pages)
	t.addNumber(p.groups)
	t.addNumber(p.rules)
	t.addText(p.next)
	return t.tag()
}
