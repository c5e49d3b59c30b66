package rules

import "testing"

// A look-up has room for one result of every rule. Were one begun beside results
// that the loop has not taken yet, it could wait for the loop while the loop, as
// it ends, waits for it.
func TestNoLookUpBesideResultsThatWereNotTaken(t *testing.T) {
	done := make(chan struct{})
	close(done)
	r := restoring{results: make(chan restoration, 1), done: done, cancel: func() {}}
	r.results <- restoration{}
	for round := range 3 {
		if !r.underway() {
			t.Fatalf("round %d: another look-up may begin", round+1)
		}
	}
	<-r.results
	if r.underway() {
		t.Error("no look-up may begin once the results are taken")
	}
}
