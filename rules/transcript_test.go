package rules_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql/parser"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

var update = flag.Bool("update", false, "write the transcripts as they come out")

// TestAlertLives plays the stories of testdata/alerts. A story is a rule and a
// list of evaluations; below each, indented, stands what came of it: the alerts,
// what was written and what was sent. Times are counted from the first
// evaluation.
//
//	rule for=2m annotations.summary={{value}}     (re)defines the rule; state goes on
//	1m {instance="a"} 3, {instance="b"} 4       evaluates at 1m with this result
//	2m error connection refused                evaluates at 2m, the query fails
func TestAlertLives(t *testing.T) {
	files, err := filepath.Glob("testdata/alerts/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("the story went otherwise (-want +got):\n%s", diff)
			}
		})
	}
}

// stage is the one rule of a story with what it told so far.
type stage struct {
	t     *testing.T
	rule  *rules.OneRule
	query answer
	sb    strings.Builder
}

type answer struct {
	result rules.Result
	err    error
}

var epoch = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// play returns the story as it comes out.
func play(t *testing.T, story string) string {
	s := &stage{t: t}
	lines := bufio.NewScanner(strings.NewReader(story))
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "  ") {
			continue // what was expected
		}
		s.sb.WriteString(line + "\n")
		verb, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case verb == "rule":
			s.define(rest)
		default:
			s.evaluate(verb, rest)
		}
	}
	return s.sb.String()
}

// define replaces the rule; the new one takes over the old one's memory.
func (s *stage) define(text string) {
	r := config.Rule{Kind: config.Alerting, Name: "Down", Expr: "expr", UpdateEntries: 5}
	g := config.Group{
		Key: config.Key{File: "f.yml", Name: "g"}, Type: config.Prometheus,
		Interval: time.Minute, EvalAlignment: true, Concurrency: 1,
	}
	opts := rules.Options{DisableAlertgroup: true, ErrorResend: 5 * time.Minute}
	for _, f := range strings.Fields(text) {
		key, val, _ := strings.Cut(f, "=")
		switch {
		case key == "for":
			r.For = s.duration(val)
		case key == "keep_firing_for":
			r.KeepFiringFor = s.duration(val)
		case key == "resend":
			opts.ResendDelay = s.duration(val)
		case key == "limit":
			g.Limit = int(s.duration(val + "ns"))
		case key == "override":
			opts.Conflict = rules.Override
		case strings.HasPrefix(key, "labels."):
			r.Labels = append(r.Labels, config.Pair{Name: key[len("labels."):], Value: val})
		case strings.HasPrefix(key, "annotations."):
			r.Annotations = append(r.Annotations, config.Pair{Name: key[len("annotations."):], Value: val})
		default:
			s.t.Fatalf("unknown word %q", f)
		}
	}
	g.Rules = []config.Rule{r}
	s.rule = rules.NewOneRule(s.t, g, opts, rulestest.Templates{}, s.rule,
		func(context.Context, rules.Query) (rules.Result, error) { return s.query.result, s.query.err })
}

func (s *stage) evaluate(when, what string) {
	at := epoch.Add(s.duration(when))
	s.query = answer{}
	if text, failed := strings.CutPrefix(what, "error "); failed {
		s.query.err = errors.New(text)
	} else if what != "" {
		s.query.result.Samples = s.samples(what)
	}
	told := s.rule.Eval(at)
	for _, a := range told.Alerts {
		s.say("alert %s %s", a.Labels, describe(&a))
	}
	for _, w := range told.Series {
		s.say("write %s %s", w.Full(), sampleValue(w))
	}
	for _, a := range told.Sent {
		end := "resolved " + since(a.EndsAt)
		if !a.Resolved {
			end = "until " + since(a.EndsAt)
		}
		s.say("send %s started %s %s %s", a.Labels, since(a.StartsAt), end, a.Annotations)
	}
	if told.Err != nil {
		s.say("error %v", told.Err)
	}
}

func (s *stage) say(format string, args ...any) {
	fmt.Fprintf(&s.sb, "  "+format+"\n", args...)
}

func describe(a *rules.Instance) string {
	text := a.State.String()
	switch {
	case a.State == rules.Inactive:
		return text + " since " + since(a.ResolvedAt.Time())
	case a.State == rules.Firing:
		text += " since " + since(a.StartsAt.Time())
	}
	text += " active " + since(a.ActiveAt.Time()) + " value " + strconv.FormatFloat(a.Value, 'g', -1, 64)
	if a.Stabilizing() {
		text += " held since " + since(a.KeepFiringSince.Time())
	}
	return text
}

func since(t time.Time) string { return t.Sub(epoch).String() }

func sampleValue(w rules.Series) string {
	switch {
	case value.IsStaleNaN(w.V):
		return "stale"
	case strings.HasPrefix(w.Name, "ALERTS_FOR_STATE"):
		return since(time.Unix(int64(w.V), 0))
	}
	return strconv.FormatFloat(w.V, 'g', -1, 64)
}

func (s *stage) duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

// samples reads `{a="b"} 1, {a="c"} 2`.
func (s *stage) samples(text string) []rules.Sample {
	var out []rules.Sample
	for _, part := range strings.Split(text, ", ") {
		i := strings.LastIndexByte(part, ' ')
		l, err := parser.NewParser(parser.Options{}).ParseMetric(part[:i])
		if err != nil {
			s.t.Fatal(err)
		}
		v, err := strconv.ParseFloat(part[i+1:], 64)
		if err != nil {
			s.t.Fatal(err)
		}
		out = append(out, rules.Sample{Labels: l, V: v})
	}
	return out
}
