package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"

	"tocsin/internal/httpx"
)

// access says what a route asks of a request before it answers.
type access uint8

const (
	openAccess access = iota // probes and what browsers fetch unasked
	basicAccess
	reloadAccess
	metricsAccess
	flagsAccess
	pprofAccess
)

// guard admits requests. Secrets are held and compared as digests, so that
// neither their length nor their beginning shows in the time of an answer.
type guard struct {
	user, password *[sha256.Size]byte // user is nil when everyone is admitted
	keys           map[access]key
	counts         counts
}

// key is the value that one flag requires.
type key struct {
	flag   string
	digest [sha256.Size]byte
}

func newGuard(a Auth, c counts) guard {
	g := guard{keys: map[access]key{}, counts: c}
	if a.Username != "" {
		user, password := sha256.Sum256([]byte(a.Username)), sha256.Sum256([]byte(a.Password))
		g.user, g.password = &user, &password
	}
	add := func(at access, flag string, s httpx.Secret) {
		if s != "" {
			g.keys[at] = key{flag, sha256.Sum256([]byte(s))}
		}
	}
	add(reloadAccess, "reloadAuthKey", a.ReloadKey)
	add(metricsAccess, "metricsAuthKey", a.MetricsKey)
	add(flagsAccess, "flagsAuthKey", a.FlagsKey)
	add(pprofAccess, "pprofAuthKey", a.PprofKey)
	return g
}

// admit reports whether r may go on; if not, it has been answered. No method is
// exempt.
func (g *guard) admit(w http.ResponseWriter, r *http.Request, at access) bool {
	if at == openAccess {
		return true
	}
	if k, ok := g.keys[at]; ok {
		return g.admitKey(w, r, k)
	}
	return g.admitBasic(w, r)
}

func (g *guard) admitKey(w http.ResponseWriter, r *http.Request, k key) bool {
	given := r.FormValue("authKey")
	if given != "" && same(given, &k.digest) {
		return true
	}
	g.counts.wrongKey.Inc()
	reason := "the given authKey does not match -" + k.flag
	if given == "" {
		reason = "an authKey is required because -" + k.flag + " is set"
	}
	plainError(w, http.StatusUnauthorized, reason)
	return false
}

func (g *guard) admitBasic(w http.ResponseWriter, r *http.Request) bool {
	if g.user == nil {
		return true
	}
	user, password, ok := r.BasicAuth()
	// Both are compared whatever the first says.
	userOK, passwordOK := same(user, g.user), same(password, g.password)
	if ok && userOK && passwordOK {
		return true
	}
	if ok {
		g.counts.wrongBasic.Inc()
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="tocsin", charset="UTF-8"`)
	plainError(w, http.StatusUnauthorized, "a user and password are required")
	return false
}

func same(given string, want *[sha256.Size]byte) bool {
	got := sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}
