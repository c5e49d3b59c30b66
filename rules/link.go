package rules

import (
	"strconv"

	"tocsin/config"
	"tocsin/internal/jsontext"
)

// Link is the address under which an alert can be looked at: the generatorURL of
// notifications and the source of the API. It is Base, followed by AlertID in
// decimal unless that is 0. The alerts of a group can share Base, which is most of it.
type Link struct {
	Base    string
	AlertID uint64
}

// String returns the address.
func (l Link) String() string {
	if l.AlertID == 0 {
		return l.Base
	}
	return l.Base + strconv.FormatUint(l.AlertID, 10)
}

// AppendJSON appends the address as a JSON string.
func (l Link) AppendJSON(dst []byte) []byte {
	dst = jsontext.AppendString(dst, l.Base)
	if l.AlertID == 0 {
		return dst
	}
	dst = strconv.AppendUint(dst[:len(dst)-1], l.AlertID, 10)
	return append(dst, '"')
}

// Linker returns what gives the alerts of a group their addresses. With nil they
// have none.
type Linker func(g *config.Group) GroupLinker

// Of returns what gives the alerts of g their addresses.
func (l Linker) Of(g *config.Group) GroupLinker {
	if l == nil {
		return func(*config.Rule, *Instance) Link { return Link{} }
	}
	return l(g)
}

// GroupLinker returns the address of an alert of r, a rule of the group.
type GroupLinker func(r *config.Rule, a *Instance) Link
