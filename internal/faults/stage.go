package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tocsin/internal/e2e/servers"
	"tocsin/internal/faults/plan"
	"tocsin/internal/faults/proxy"
	"tocsin/internal/faults/witness"
	"tocsin/internal/faults/world"
)

// startTimeout is how long a server may take until it is ready.
const startTimeout = 30 * time.Second

// remotes are the targets that are reached through a proxy.
var remotes = []plan.Target{plan.Datasource, plan.Storage, plan.AlertmanagerA, plan.AlertmanagerB}

// alertmanagers are the targets that are told of alerts: the first one notes what
// it gets, the second is a real one, of which the pages are noted.
var alertmanagers = []plan.Target{plan.AlertmanagerA, plan.AlertmanagerB}

// stage is everything around the daemon. Whoever opened it closes it.
type stage struct {
	dir     string
	world   *world.World
	source  *world.Source
	storage *witness.Storage // reached without the proxy
	notes   map[plan.Target]*witness.Notes
	proxies map[plan.Target]*proxy.Proxy
	client  *http.Client // keeps no connection, so that no goroutine outlives a run

	closers []func() error // in the order of opening
}

// openStage starts the servers, the stubs and the proxies before them. The world
// starts when all is ready.
func openStage(ctx context.Context, w world.Options, dir string) (*stage, error) {
	s := &stage{
		dir:     dir,
		notes:   map[plan.Target]*witness.Notes{plan.AlertmanagerA: {}, plan.AlertmanagerB: {}},
		proxies: map[plan.Target]*proxy.Proxy{},
		client:  &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
	}
	if err := errors.Join(os.MkdirAll(dir, 0o755), s.open(ctx, w)); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *stage) open(ctx context.Context, w world.Options) error {
	behind := map[plan.Target]string{}
	var err error
	if behind[plan.AlertmanagerA], err = s.serve(http.HandlerFunc(s.notes[plan.AlertmanagerA].Alertmanager)); err != nil {
		return err
	}
	if behind[plan.AlertmanagerB], err = s.startAlertmanager(ctx); err != nil {
		return err
	}
	if behind[plan.Storage], err = s.startStorage(ctx); err != nil {
		return err
	}
	s.storage = &witness.Storage{URL: "http://" + behind[plan.Storage], Client: s.client}
	w.Start = time.Now().Truncate(time.Second).Add(3 * time.Second)
	s.world = world.New(w)
	s.source = world.NewSource(s.world)
	if behind[plan.Datasource], err = s.serve(s.source); err != nil {
		return err
	}
	for _, t := range remotes {
		addr, err := servers.FreeAddr()
		if err != nil {
			return err
		}
		p, err := proxy.Start(proxy.Options{
			Addr: addr, Target: behind[t], Rubbish: rubbish(t), Partial: slices.Contains(alertmanagers, t),
		})
		if err != nil {
			return err
		}
		s.closers = append(s.closers, p.Close)
		s.proxies[t] = p
	}
	return nil
}

// rubbish returns answers that make no sense to a client of t. What storage or an
// Alertmanager says after a 200 is nobody's concern, so theirs are not even HTTP.
func rubbish(t plan.Target) []string {
	all := []string{"\x00\xff\x16\x03 not HTTP at all\r\n\r\n", "HTTP/1.1 999999 what\r\n\r\n"}
	if t != plan.Datasource {
		return all
	}
	for _, body := range []string{
		"<html><body>Please log in</body></html>", `{"status":"success"}`, "{}", "",
		`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"rule":`,
		`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":["now","many"]}]}}`,
	} {
		all = append(all, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body))
	}
	return all
}

// serve serves h on a loopback port and returns its address.
func (s *stage) serve(h http.Handler) (addr string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("serve a stub: %w", err)
	}
	server := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // ends with Close
	}()
	s.closers = append(s.closers, func() error {
		err := server.Close()
		<-done
		return err
	})
	return l.Addr().String(), nil
}

func (s *stage) startStorage(ctx context.Context) (addr string, err error) {
	if addr, err = servers.FreeAddr(); err != nil {
		return "", err
	}
	c, err := servers.VictoriaMetrics(addr, filepath.Join(s.dir, "storage"))
	if err != nil {
		return "", err
	}
	return addr, s.start(ctx, c)
}

// alertmanagerConfig pages each alert on its own, at once and once.
const alertmanagerConfig = `route:
  receiver: pager
  group_by: ['...']
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 24h
receivers:
- name: pager
  webhook_configs:
  - url: http://%s/
    send_resolved: true
`

func (s *stage) startAlertmanager(ctx context.Context) (addr string, err error) {
	pager, err := s.serve(http.HandlerFunc(s.notes[plan.AlertmanagerB].Webhook))
	if err != nil {
		return "", err
	}
	if addr, err = servers.FreeAddr(); err != nil {
		return "", err
	}
	config := filepath.Join(s.dir, "alertmanager.yml")
	if err := os.WriteFile(config, fmt.Appendf(nil, alertmanagerConfig, pager), 0o644); err != nil {
		return "", err
	}
	c, err := servers.Alertmanager(addr, filepath.Join(s.dir, "alertmanager"), config)
	if err != nil {
		return "", err
	}
	return addr, s.start(ctx, c)
}

// start starts a server and waits until it is ready.
func (s *stage) start(ctx context.Context, c *servers.Command) error {
	log, err := os.Create(filepath.Join(s.dir, c.Name+".log"))
	if err != nil {
		return err
	}
	c.Output = log
	p, err := c.Start()
	if err != nil {
		return errors.Join(err, log.Close())
	}
	s.closers = append(s.closers, func() error {
		p.Kill()
		return log.Close()
	})
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	return p.AwaitReady(ctx)
}

// close ends everything, in reverse order.
func (s *stage) close() error {
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i]())
	}
	s.closers = nil
	return errors.Join(errs...)
}
