package app

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"

	"tocsin/config"
	"tocsin/internal/remotewrite"
	"tocsin/internal/replay"
	"tocsin/internal/template"
)

// replayIdentity tells a replay from those that write something else.
type replayIdentity struct {
	Groups            []config.Group
	Templates         [32]byte
	ExternalLabels    []config.Pair
	Conflict          string
	DisableAlertgroup bool
	Datasource        string
	Targets           []string
	Period            string
}

// replayRecord opens the record of how far the replay has come; nil if there is no
// place for one.
func (a *App) replayRecord(groups []config.Group, engine *template.Engine, set *remotewrite.Set) (*replay.Record, error) {
	o := &a.opts.Storage
	if o.Path == "" {
		return nil, nil
	}
	identity := replayIdentity{
		Templates: engine.Digest(), ExternalLabels: a.opts.External.Labels,
		Conflict: a.opts.Rules.ConflictingLabels, DisableAlertgroup: a.opts.Rules.DisableAlertgroup,
		Datasource: withoutUser(a.opts.Datasource.URL), Targets: set.Keys(), Period: a.opts.Replay.Written,
	}
	for _, g := range groups {
		identity.Groups = append(identity.Groups, withoutLines(g))
	}
	record, err := replay.OpenRecord(filepath.Join(o.Path, "replay"), identity, !a.opts.Replay.Resume)
	switch pathError := (*fs.PathError)(nil); {
	case err == nil:
	case errors.Is(err, replay.ErrBadRecord):
		a.log.Warn("replay starts over", "error", err)
	case !o.Demanded && errors.As(err, &pathError):
		a.log.Warn("progress is not recorded, so that an interrupted replay starts over: set -storage.path to a folder that can be written to", "error", err)
	default:
		return nil, fmt.Errorf("-storage.path: %w", err)
	}
	return record, nil
}

// withoutUser returns an address as it is known whatever the password.
func withoutUser(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	u.User = nil
	return u.String()
}

// withoutLines returns g as if it were written elsewhere in its file.
func withoutLines(g config.Group) config.Group {
	g.Line, g.Rules = 0, slices.Clone(g.Rules)
	for i := range g.Rules {
		g.Rules[i].Line = 0
	}
	return g
}
