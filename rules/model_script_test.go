package rules_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// act is one thing that happens: time passes, what a query answers changes, or
// rule files are loaded.
type act struct {
	does   string
	pass   time.Duration
	of     int
	answer modelAnswer

	files   modelFiles // as they are
	next    modelFiles // what must be in force then
	version byte
	refused bool
}

func (a act) String() string {
	switch a.does {
	case "pass":
		return "pass " + a.pass.String()
	case "answer":
		return fmt.Sprintf("answer of %d: %+v", a.of, a.answer)
	}
	return fmt.Sprintf("load, refused %t, version %d:%s\n in force:%s", a.refused, a.version, a.files, a.next)
}

// script is acts being drawn. What is in force is known without playing them:
// it follows from the files alone.
type script struct {
	acts     []act
	files    modelFiles
	force    modelFiles
	version  byte
	numbers  int
	answered map[int]bool // results that queries have had an answer about
	strict   bool         // a file with a problem has everything refused
}

func (s *script) number() int {
	s.numbers++
	return s.numbers
}

func (s *script) pass(t *rapid.T) {
	d := rapid.SampledFrom([]time.Duration{7 * time.Second, time.Minute, 90 * time.Second, 4 * time.Minute, 17 * time.Minute}).Draw(t, "pass")
	s.acts = append(s.acts, act{does: "pass", pass: d})
}

func (s *script) answer(t *rapid.T) {
	var all []*modelNode
	for _, g := range s.force.groups() {
		all = append(all, g.rules...)
	}
	if len(all) == 0 {
		t.Skip("no rules")
	}
	of := rapid.IntRange(0, len(all)-1).Draw(t, "of rules")
	s.answerOf(t, all[of].of)
}

func (s *script) answerOf(t *rapid.T, of int) {
	s.answered[of] = true
	s.acts = append(s.acts, act{does: "answer", of: of, answer: drawAnswer(t, "0", "1", "2", "3")})
}

// edited returns the files after one more edit of e, if they are still clear then.
func (s *script) edited(e editor, edit func(*editor)) editor {
	next := e
	next.files = e.files.clone()
	edit(&next)
	next.files.tidy()
	if next.files.valid() && next.files.clear(s.force) {
		return next
	}
	return e
}

// load edits the files and has them loaded.
func (s *script) load(t *rapid.T) {
	e := editor{T: t, files: s.files, version: s.version, number: s.number}
	if !e.files.clear(s.force) {
		e.files = s.force // what was refused is given up
	}
	for range rapid.IntRange(1, 5).Draw(t, "edits") {
		e = s.edited(e, (*editor).edit)
	}
	e.files = e.files.clone()
	a := act{does: "load", files: e.files.clone(), next: s.force, version: e.version}
	for _, f := range e.files {
		a.refused = a.refused || s.strict && f.broken == badTemplate
	}
	if !a.refused {
		e.files.settle(s.force, e.version, s.number)
		a.next = e.files.after(s.force)
		if !a.next.distinctlyGone(s.force) {
			t.Skip("unclear who says goodbye")
		}
	}
	s.files, s.version, s.force = e.files, e.version, a.next
	for _, g := range s.force.groups() {
		for _, n := range g.rules {
			if !s.answered[n.of] {
				s.answerOf(t, n.of)
			}
		}
	}
	s.acts = append(s.acts, a)
}

// Whatever is edited in whichever files, whatever their queries answer and
// whenever they are loaded, everything that goes on goes on, everything that is
// gone says goodbye, and nobody is told anything else.
func TestReloadedRulesFollowTheModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := &script{answered: map[int]bool{}, strict: rapid.IntRange(0, 4).Draw(rt, "strict") == 4}
		o := modelOptions(rapid.SampledFrom([]time.Duration{0, 150 * time.Second}).Draw(rt, "resendDelay"))
		o.DisableAlertgroup = rapid.Bool().Draw(rt, "disableAlertgroup")
		o.SilentRemoval = rapid.IntRange(0, 4).Draw(rt, "silentRemoval") == 4
		e := editor{T: rt, number: s.number}
		for range rapid.IntRange(1, 4).Draw(rt, "groups") {
			e = s.edited(e, (*editor).addGroup)
		}
		s.files = e.files
		rt.Repeat(map[string]func(*rapid.T){"pass": s.pass, "answer": s.answer, "load": s.load})
		var problem error
		synctest.Test(t, func(t *testing.T) { problem = perform(t, s, o) })
		if problem != nil {
			var all []string
			for _, a := range s.acts {
				all = append(all, a.String())
			}
			rt.Fatalf("%v\nin this play, with %+v:\n%s", problem, o, strings.Join(all, "\n"))
		}
	})
}
