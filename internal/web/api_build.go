package web

import (
	"net/url"
	"regexp"
	"runtime"
	"strings"

	"tocsin/internal/jsontext"
)

// showBuild answers with the fields of Prometheus. Grafana, which looks for
// features that are missing here, sees from it that rules can be read and not
// edited.
func (s *Server) showBuild(url.Values) (answer, error) {
	dst := []byte(`{"status":"success","data":{"application":"tocsin","version":`)
	dst = jsontext.AppendString(dst, semanticVersion(s.opts.Version))
	dst = append(dst, `,"revision":`...)
	dst = jsontext.AppendString(dst, s.opts.Version)
	dst = append(dst, `,"branch":"","buildUser":"","buildDate":"","goVersion":`...)
	dst = jsontext.AppendString(dst, runtime.Version())
	return rendered(append(dst, `}}`...)), nil
}

var (
	semantic    = regexp.MustCompile(`^(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}([-+][0-9A-Za-z.+-]+)?$`)
	notSemantic = regexp.MustCompile(`[^0-9A-Za-z-]+`)
)

// semanticVersion returns a version in the form that readers parse. What has
// another one, such as a commit, becomes the build of a version 0.0.0.
func semanticVersion(v string) string {
	if short := strings.TrimPrefix(v, "v"); semantic.MatchString(short) {
		return short
	}
	if v = strings.Trim(notSemantic.ReplaceAllString(v, "-"), "-"); v == "" {
		return "0.0.0"
	}
	return "0.0.0+" + v
}
