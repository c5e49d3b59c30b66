package web

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"tocsin/config"
	"tocsin/rules"
)

// page is one page of groups with what is said of the whole.
type page struct {
	matches []match
	number  int // from 1; 0 unless asked for by number
	// The totals are of all pages; set only when a limit was given.
	pages, groups, rules int
	next                 string // token of the group after the last; "" at the end
}

// cut returns the page of all that p asks for. Groups are the ones before
// filtering: a token stays good when its group no longer passes the filter.
func (p paging) cut(groups []*rules.Snapshot, all []match) (page, error) {
	if p.limit == 0 {
		return page{matches: all}, nil
	}
	out := page{number: p.page, groups: len(all), pages: max(1, (len(all)+p.limit-1)/p.limit)}
	for _, m := range all {
		out.rules += m.len()
	}
	from := 0
	switch {
	case p.page > out.pages:
		return page{}, badRequest("page_num=%d exceeds total amount of pages in result=%d", p.page, out.pages)
	case p.page > 0:
		from = (p.page - 1) * p.limit
	case p.token != "":
		var err error
		if from, err = p.find(groups, all); err != nil {
			return page{}, err
		}
	}
	to := min(from+p.limit, len(all))
	out.matches = all[from:to]
	if p.page == 0 && to < len(all) {
		out.next = token(all[to].group.Group.Key)
	}
	return out, nil
}

// find returns the index in all at which the page of p's token begins.
func (p paging) find(groups []*rules.Snapshot, all []match) (int, error) {
	at := slices.IndexFunc(groups, func(s *rules.Snapshot) bool { return token(s.Group.Key) == p.token })
	if at < 0 {
		return 0, badRequest("invalid parameter \"group_next_token\": the group it stands for is gone; begin again without it")
	}
	from := 0
	for _, s := range groups[:at] {
		if from < len(all) && all[from].group == s {
			from++
		}
	}
	return from, nil
}

// token returns the name of a place in the list of groups, as Prometheus makes
// it.
func token(k config.Key) string {
	sum := sha256.Sum256([]byte(k.File + ";" + k.Name))
	return hex.EncodeToString(sum[:])
}
