package app

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"tocsin/config"
	notifierconfig "tocsin/config/notifiers"
	"tocsin/internal/alertmanager"
	"tocsin/internal/discovery"
	"tocsin/internal/httpx"
)

const (
	// firstLook is how long the first look-ups may keep others waiting.
	firstLook = 5 * time.Second
	// notifierIdleTimeout is how long a connection to an Alertmanager is kept: as
	// long as it usually takes until alerts are told again.
	notifierIdleTimeout = 5 * time.Minute
)

// notifierFile reads the file of -notifier.config and puts it in force.
type notifierFile struct {
	// Fixed by newNotifierFile.
	path      string
	load      config.Options
	discovery discovery.Options
	drain     time.Duration // for what a target that goes is owed
	lookup    httpx.Lookup
	metrics   *metrics.Set
	log       *slog.Logger

	follower
}

// block is one block of the file in force, or about to be.
type block struct {
	notifierconfig.Block
	finder     *discovery.Finder
	connection *connection
}

// connection is the transport to the targets of one block or several.
type connection struct {
	options   httpx.ClientOptions
	transport *httpx.Transport
}

// newNotifierFile returns the file that o names, which is fetched through t if it
// is at a URL. Nothing is read yet.
func newNotifierFile(o *Options, t http.RoundTripper, m *metrics.Set, log *slog.Logger) *notifierFile {
	f := &notifierFile{
		path: o.Notifier.Config, metrics: m, log: log, drain: o.Notifier.DrainTimeout,
		load: config.Options{
			MaxSize: o.Rules.MaxFileSize, Timeout: o.Rules.LoadTimeout, Transport: t, Env: os.LookupEnv,
		},
		lookup:   httpx.Lookup{IPv4Only: !o.HTTP.Server.IPv6, Log: log},
		follower: newFollower(),
	}
	d := &o.Notifier.Discovery
	f.discovery = discovery.Options{
		ConsulInterval: d.ConsulInterval, ConsulWait: d.ConsulWait, DNSInterval: d.DNSInterval,
		Lookup: f.lookup, Counts: discovery.NewCounts(m), Log: log, Changed: f.rouse,
	}
	f.observe(m)
	return f
}

// notifierPlan is a notifier file that can be put in force. It has to be committed
// or discarded. The nil plan changes nothing.
type notifierPlan struct {
	config *notifierconfig.Config
	blocks []*block
	// Of blocks, what does not run yet.
	finders     []*discovery.Finder
	connections []*connection
}

// prepare reads the file and builds what is new in it; nothing that runs is touched.
// The plan is nil if the file is what is in force already, and with problems, which
// have the form of those of rule files.
func (f *notifierFile) prepare(ctx context.Context) (*notifierPlan, []error) {
	if f == nil {
		return nil, nil
	}
	c, err := notifierconfig.Load(ctx, f.path, f.load)
	if err != nil {
		return nil, flatten(err)
	}
	running, inForce := f.inForce()
	if inForce != nil && inForce.Fingerprint == c.Fingerprint {
		return nil, nil
	}
	p := &notifierPlan{config: c}
	var problems []error
	for i := range c.Blocks {
		b := &block{Block: c.Blocks[i]}
		if err := f.build(p, b, running); err != nil {
			problems = append(problems, config.Problem{File: f.shown(), Line: b.Line, Message: err.Error()})
		}
		p.blocks = append(p.blocks, b)
	}
	if len(problems) > 0 {
		p.discard()
		return nil, problems
	}
	return p, nil
}

// shown returns the name of the file as problems have it.
func (f *notifierFile) shown() string {
	if strings.Contains(f.path, "://") {
		return httpx.RedactURL(f.path)
	}
	return f.path
}

// build gives b its finder and its connection: those of a block that runs or is
// planned, where they are the same, and else new ones.
func (f *notifierFile) build(p *notifierPlan, b *block, running []*block) error {
	for _, r := range running {
		if r.finder.Finds(&b.Block) && !slices.ContainsFunc(p.blocks, func(o *block) bool { return o.finder == r.finder }) {
			b.finder = r.finder
			break
		}
	}
	if b.finder == nil {
		finder, err := discovery.New(&b.Block, f.discovery)
		if err != nil {
			return err
		}
		b.finder = finder
		p.finders = append(p.finders, finder)
	}
	for _, r := range slices.Concat(running, p.blocks) {
		if r.connection != nil && reflect.DeepEqual(r.connection.options, b.Alertmanager.Client) {
			b.connection = r.connection
			return nil
		}
	}
	o := b.Alertmanager.Client
	o.MetricsPrefix, o.IdleConnTimeout, o.Lookup = "vmalert_notifier", notifierIdleTimeout, f.lookup
	t, err := o.RoundTripper(f.metrics)
	if err != nil {
		return err
	}
	b.connection = &connection{options: b.Alertmanager.Client, transport: t}
	p.connections = append(p.connections, b.connection)
	return nil
}

// discard lets go of what was built.
func (p *notifierPlan) discard() {
	if p == nil {
		return
	}
	for _, f := range p.finders {
		f.Stop()
	}
	for _, c := range p.connections {
		_ = c.transport.Close() // never fails
	}
}

// commit puts p in force. It waits a little, as long as ctx allows, for the first
// look-ups of what is new, so that nobody is dropped who is found again at once.
func (f *notifierFile) commit(ctx context.Context, p *notifierPlan) {
	if p == nil {
		return
	}
	for _, finder := range p.finders {
		finder.Start()
	}
	ctx, cancel := context.WithTimeout(ctx, firstLook)
	defer cancel()
	for _, finder := range p.finders {
		select {
		case <-finder.Looked():
		case <-ctx.Done():
		}
	}
	gone := f.exchange(p)
	f.sync()
	for _, b := range gone {
		if !slices.ContainsFunc(p.blocks, func(o *block) bool { return o.finder == b.finder }) {
			b.finder.Stop()
		}
		if !slices.ContainsFunc(p.blocks, func(o *block) bool { return o.connection == b.connection }) {
			_ = b.connection.transport.Close() // never fails
		}
	}
}

// endpoints returns the targets of b as they are known now, and why others are not
// among them.
func (b *block) endpoints(c *notifierconfig.Config) ([]alertmanager.Endpoint, error) {
	targets, err := discovery.Targets(&b.Block, b.finder.Found().Targets)
	all := make([]alertmanager.Endpoint, len(targets))
	for i, t := range targets {
		all[i] = alertmanager.Endpoint{
			URL: t.URL, WholeURL: true, Transport: b.connection.transport, SendTimeout: b.Alertmanager.Timeout,
			Relabeling: alertmanager.Relabeling{c.AlertRelabel, b.AlertRelabel},
			Kind:       string(b.Kind), Labels: t.Labels,
		}
	}
	return all, err
}

// checkNotifierFile returns what is wrong with the file of -notifier.config, if there
// is one.
func checkNotifierFile(ctx context.Context, o *Options, log *slog.Logger) []error {
	if o.Notifier.Config == "" {
		return nil
	}
	t, err := fileClient().RoundTripper(metrics.NewSet())
	if err != nil {
		return []error{err}
	}
	defer t.Close()
	p, problems := newNotifierFile(o, t, metrics.NewSet(), log).prepare(ctx)
	p.discard()
	return problems
}
