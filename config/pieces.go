package config

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"slices"

	"gopkg.in/yaml.v3"
)

// Rule files are edited in one place at a time. So a file is read piece by
// piece, one for each group, and a group whose text has not changed since the
// last load is not parsed again.
//
// This is for files that are written in the usual way and have no problems. All
// others are read as a whole, which alone decides what is a problem and says so.

// piece is what is remembered of the text of a group.
type piece struct {
	hash   Hash
	before int // lines of the file that stand before it
	visits int // of nodes, to read it
}

// readPieces reads a file piece by piece and takes from prev, an earlier version
// of the file without problems, the groups whose text is the same. It returns
// false if that is not possible or anything is wrong with the file; d is of no use
// then.
func (d *decoder) readPieces(data []byte, prev *parsed) ([]piece, bool) {
	above, spans, ok := cut(data)
	if !ok || yaml.Unmarshal(above, new(yaml.Node)) != nil {
		return nil, false
	}
	known := make(map[Hash]int, len(prev.pieces))
	for i := range prev.pieces {
		known[prev.pieces[i].hash] = i
	}
	d.groups = make([]Group, 0, len(spans))
	pieces := make([]piece, 0, len(spans))
	for _, s := range spans {
		p := piece{hash: sha256.Sum256(s.text), before: s.before}
		if i, same := known[p.hash]; same {
			p.visits = prev.pieces[i].visits
			d.visits += p.visits
			d.take(prev.groups[i].moved(p.before - prev.pieces[i].before))
		} else {
			d.recall(prev)
			visited := d.visits
			if !d.readPiece(s) {
				return nil, false
			}
			p.visits = d.visits - visited
		}
		pieces = append(pieces, p)
	}
	return pieces, len(d.problems) == 0 && d.visits <= d.maxVisits
}

// readPiece reads one group from its text.
func (d *decoder) readPiece(s span) bool {
	documents := yaml.NewDecoder(bytes.NewReader(s.text))
	var list, more yaml.Node
	if documents.Decode(&list) != nil || !errors.Is(documents.Decode(&more), io.EOF) {
		return false
	}
	if len(list.Content) == 0 {
		return false
	}
	items := list.Content[0]
	if items.Kind != yaml.SequenceNode || len(items.Content) != 1 {
		return false
	}
	n := len(d.groups)
	d.decodeGroup(items.Content[0], plainFile)
	d.group, d.rule = "", ""
	if len(d.problems) > 0 || len(d.groups) != n+1 {
		return false
	}
	d.groups[n].move(s.before)
	return true
}

// take adds a group that was read before.
func (d *decoder) take(g Group) {
	d.checkName(&g)
	d.groups = append(d.groups, g)
}

// moved returns g as it is when it stands so many lines further down.
func (g *Group) moved(lines int) Group {
	c := *g
	if lines != 0 {
		c.Rules = slices.Clone(g.Rules)
		c.move(lines)
	}
	return c
}

// move puts g, which nobody else knows yet, so many lines further down.
func (g *Group) move(lines int) {
	g.Line += lines
	for i := range g.Rules {
		g.Rules[i].Line += lines
	}
}

// recall makes use of an earlier version of the file: of its texts, and of the
// verdict on its expressions.
func (d *decoder) recall(prev *parsed) {
	if d.recalled {
		return
	}
	d.recalled = true
	for i := range prev.groups {
		g := &prev.groups[i]
		d.recallTexts(g.Labels)
		for j := range g.Rules {
			r := &g.Rules[j]
			d.valid[expression{g.Type, r.Expr}] = true
			d.recallTexts(r.Labels)
			d.recallTexts(r.Annotations)
		}
	}
}

func (d *decoder) recallTexts(pairs []Pair) {
	for _, p := range pairs {
		d.intern(p.Name)
		d.intern(p.Value)
	}
}
