package discovery

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config/notifiers"
	"tocsin/internal/httpx"
)

// Labels by which relabeling decides where alerts go.
const (
	schemeLabel     = "__scheme__"
	alertsPathLabel = "__alerts_path__"
	metaPrefix      = "__meta_"
)

// Target is one Alertmanager.
type Target struct {
	URL string // to which alerts are posted; may hold secrets
	// Labels are those left of what was found, without where it was found and
	// without secrets.
	Labels labels.Labels
}

// Targets returns what b makes of what was found, in order. Those that relabeling
// drops are left out, as are those without a usable address, for which the error
// joins one each. It holds no secrets.
func Targets(b *notifiers.Block, found []labels.Labels) ([]Target, error) {
	var all []Target
	var errs []error
	for _, l := range found {
		l, kept := b.Relabel.Apply(addressed(&b.Alertmanager, l))
		if !kept || l.Get(addressLabel) == "" {
			continue
		}
		t, err := newTarget(l)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, t)
	}
	return all, errors.Join(errs...)
}

// addressed returns l with the parts of its address in labels of their own, as
// relabeling sees them.
func addressed(a *notifiers.Alertmanager, l labels.Labels) labels.Labels {
	address, scheme, path := l.Get(addressLabel), a.Scheme, a.AlertsPath()
	for _, s := range []string{"http", "https"} {
		if rest, ok := strings.CutPrefix(address, s+"://"); ok {
			address, scheme = rest, s
			break
		}
	}
	if i := strings.IndexByte(address, '/'); i >= 0 {
		// A slash alone is how people end addresses, and no path to post to.
		if own := address[i:]; own != "/" {
			path = own
		}
		address = address[:i]
	}
	b := labels.NewBuilder(l)
	return b.Set(addressLabel, address).Set(schemeLabel, scheme).Set(alertsPathLabel, path).Labels()
}

// newTarget reads the address of l.
func newTarget(l labels.Labels) (Target, error) {
	scheme, address, path := l.Get(schemeLabel), l.Get(addressLabel), l.Get(alertsPathLabel)
	if scheme == "" {
		scheme = "http"
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	url := scheme + "://" + withPort(scheme, address) + path
	if _, err := httpx.ParseURL(url); err != nil {
		return Target{}, fmt.Errorf("target %q: %w", withoutUser(address), err)
	}
	return Target{URL: url, Labels: shown(l)}, nil
}

// withPort adds the port that a scheme has where address has none.
func withPort(scheme, address string) string {
	host := withoutUser(address)
	if _, _, err := net.SplitHostPort(host); err == nil || strings.Contains(host, ":") && !strings.HasSuffix(host, "]") {
		return address
	}
	if scheme == "https" {
		return address + ":443"
	}
	return address + ":80"
}

// withoutUser returns address without user and password.
func withoutUser(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// shown returns l without where it was found and without secrets.
func shown(l labels.Labels) labels.Labels {
	b := labels.NewBuilder(l)
	l.Range(func(l labels.Label) {
		switch {
		case strings.HasPrefix(l.Name, metaPrefix):
			b.Del(l.Name)
		case l.Name == addressLabel:
			b.Set(l.Name, withoutUser(l.Value))
		case l.Name == alertsPathLabel:
			b.Set(l.Name, httpx.RedactURL(l.Value))
		}
	})
	return b.Labels()
}
