package datasource

import (
	"strings"
	"sync"
	"sync/atomic"
)

// maxExprs is how many expressions an exprSet remembers.
const maxExprs = 1000

// exprSet is a set of expressions whose answers are in some way unusual. While
// none is, it costs no lock. The zero value is empty.
type exprSet struct {
	size atomic.Int64 // len(exprs), for reading without the lock

	mu    sync.RWMutex
	exprs map[string]struct{}
}

func (s *exprSet) has(expr string) bool {
	if s.size.Load() == 0 {
		return false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, ok := s.exprs[expr]
	return ok
}

// put makes expr a member or not and reports whether that changed anything. A
// full set stays as it is.
func (s *exprSet) put(expr string, member bool) (changed bool) {
	if s.has(expr) == member {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, was := s.exprs[expr]
	switch {
	case was == member || member && len(s.exprs) >= maxExprs:
		return false
	case member:
		if s.exprs == nil {
			s.exprs = make(map[string]struct{})
		}
		s.exprs[strings.Clone(expr)] = struct{}{} // a rule file may go that it is part of
	default:
		delete(s.exprs, expr)
	}
	s.size.Store(int64(len(s.exprs)))
	return true
}
