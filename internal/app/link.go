package app

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"

	"tocsin/config"
	"tocsin/internal/template"
	"tocsin/rules"
)

// externalURL returns how tocsin is reached from outside: what -external.url
// says, else the name of this host, the port of the first listener and the path
// prefix.
func externalURL(o *Options) string {
	listeners := o.HTTP.Server.Listeners
	if o.External.URL != "" || len(listeners) == 0 {
		return o.External.URL
	}
	scheme := "http://"
	if listeners[0].TLS != nil {
		scheme = "https://"
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	_, port, err := net.SplitHostPort(listeners[0].Addr)
	if err != nil {
		return scheme + host + o.HTTP.PathPrefix
	}
	return scheme + net.JoinHostPort(host, port) + o.HTTP.PathPrefix
}

// newLink returns how the address of an alert is made: by the template of
// -external.alert.source if there is one.
func newLink(o *Options) (rules.Linker, error) {
	if o.External.AlertSource == "" {
		return defaultLink(o.External.URL), nil
	}
	engine, err := template.Load(template.Options{
		ExternalURL: o.External.URL, ExternalLabels: o.External.Labels,
	})
	if err != nil {
		return nil, err
	}
	source, err := engine.CompileSource(o.External.AlertSource)
	if err != nil {
		return nil, fmt.Errorf("-external.alert.source: %w", err)
	}
	return templateLink(source), nil
}

// defaultLink returns the address of an alert's page below externalURL, in the
// form that vmalert gives it.
func defaultLink(externalURL string) rules.Linker {
	prefix := externalURL + "/vmalert/alert?group_id="
	return func(g *config.Group) rules.GroupLinker {
		base := prefix + strconv.FormatUint(g.ID(), 10) + "&alert_id="
		return func(_ *config.Rule, a *rules.Instance) rules.Link {
			return rules.Link{Base: base, AlertID: a.ID}
		}
	}
}

// templateLink returns the address that the template of -external.alert.source
// expands to. A template that fails leads to externalURL.
func templateLink(s *template.Source) rules.Linker {
	return func(g *config.Group) rules.GroupLinker {
		id := g.ID()
		return func(r *config.Rule, a *rules.Instance) rules.Link {
			d := rules.TemplateData{
				Labels: rules.TemplateLabels{Result: a.Labels}, Value: a.Value,
				Type: g.Type, Expr: r.Expr, Interval: g.Interval, For: r.For,
				ActiveAt: a.ActiveAt.Time(), AlertID: a.ID, GroupID: id,
			}
			// The error is told by the address: it is the external URL alone.
			u, _ := s.URL(context.Background(), &d)
			return rules.Link{Base: u}
		}
	}
}
