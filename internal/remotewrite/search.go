package remotewrite

import "time"

// maxEffort is how many requests may go into finding the single rows of a block
// that storage refuses. With 10,000 rows it takes 15 to find one.
const maxEffort = 64

// search finds the rows of a block that storage refuses, by sending less and less
// of it. It goes from front to back, as the samples of a series must arrive in
// order. Once its effort is spent, it sends what is left of the block in as many
// pieces, and those that are refused are dropped whole.
type search struct {
	limit  int // most rows of a request
	effort int // requests that may go into finding single rows; > 0
	began  time.Time

	spent   int // since the first refusal
	suspect int // leading rows that hold one which is refused; 0 if that is not known
	found   int // rows accepted
}

// next returns how many rows to send, if there are as many.
func (s *search) next() int {
	switch {
	case s.exhausted():
		return s.piece()
	case s.suspect > 0:
		return max(s.suspect/2, 1)
	}
	return s.limit
}

// accepted is told that rows were.
func (s *search) accepted(rows int) {
	s.found += rows
	if s.spent > 0 {
		s.spent++
	}
	s.suspect = max(s.suspect-rows, 0)
}

// refuses reports whether a means that none of the rows sent are wanted.
func (s *search) refuses(a *answer) bool { return a.verdict == unwanted && a.written <= 0 }

// gone reports whether rows, if they are refused now, are to be dropped.
func (s *search) gone(rows int) bool {
	return rows == 1 || s.spent+1 >= s.effort && rows <= s.piece()
}

// restart begins anew with what is left of the block.
func (s *search) restart() {
	*s = search{limit: s.limit, effort: maxEffort, found: s.found, began: s.began}
}

// refused is told that rows were. It reports whether they are to be dropped; else
// less of them is to be sent.
func (s *search) refused(rows int) (drop bool) {
	drop = s.gone(rows)
	s.spent++
	s.suspect = 0
	if drop {
		return true
	}
	s.suspect = rows
	return false
}

func (s *search) exhausted() bool { return s.spent >= s.effort }

// piece is how many rows go into a request once the effort is spent.
func (s *search) piece() int { return (s.limit + s.effort - 1) / s.effort }

// nextEffort is for the block after this one: storage that refuses everything is
// asked less and less, down to once for each block.
func (s *search) nextEffort() int {
	switch {
	case s.found > 0:
		return maxEffort
	case s.spent > 0:
		return max(s.effort/2, 1)
	}
	return s.effort
}
