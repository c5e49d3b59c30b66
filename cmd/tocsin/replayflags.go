package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/app"
)

// replayFlags are the flags of a replay that are kept as written.
type replayFlags struct{ from, to string }

func addReplayFlags(f *flagSet, o *app.ReplayOptions) *replayFlags {
	f.topic = topicReplay
	r := &replayFlags{}
	f.string(&r.from, "replay.timeFrom", "", "Evaluate the rules for times past, from this one on, write the results to -remoteWrite.url and end: 2020-01-01T20:07:00Z, a date, Unix seconds, or as far back as in now-30d")
	f.string(&r.to, "replay.timeTo", "", "The last time of -replay.timeFrom; now if it is not set")
	f.int(&o.MaxPoints, "replay.maxDatapointsPerQuery", 1000, "How many times one range query asks for")
	f.duration(&o.RulesDelay, "replay.rulesDelay", time.Second, "How long storage takes, after it has accepted a series, until queries find it; rules that read the series wait for that")
	f.int(&o.Attempts, "replay.ruleRetryAttempts", 5, "How often a query that is not answered is asked before the replay ends")
	f.int(&o.Concurrency, "replay.ruleEvaluationConcurrency", 1, "How many range queries for one rule may be under way at once")
	f.bool(&o.Lines, "replay.disableProgressBar", false, "Log how the replay gets on, instead of drawing that, also on a terminal")
	f.bool(&o.SkipFailing, "replay.continueWithExecutionErr", false, "Skip what a query was for that the datasource refuses (400 and 422), or does not answer although it answers others; otherwise the replay ends there")
	f.bool(&o.Resume, "replay.resume", true, "Go on with a replay of the same rules and times that was interrupted; otherwise it starts over. Needs -storage.path")
	return r
}

// options fills in the period, or returns everything that is wrong with it.
func (r *replayFlags) options(o *app.Options) error {
	p := &o.Replay
	if o.DryRun {
		return nil
	}
	if r.from == "" {
		if r.to != "" {
			return errors.New("-replay.timeTo needs -replay.timeFrom")
		}
		return nil
	}
	now := time.Now()
	p.Wanted, p.Open, p.Written = true, r.to == "", r.from+" "+r.to
	var errs [3]error
	p.From, errs[0] = readMoment("replay.timeFrom", r.from, now)
	p.To = now
	if !p.Open {
		p.To, errs[1] = readMoment("replay.timeTo", r.to, now)
	}
	if len(o.RemoteWrite.Targets) == 0 {
		errs[2] = errors.New("-replay.timeFrom needs -remoteWrite.url, where the results are written")
	}
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	if !p.To.After(p.From) {
		return fmt.Errorf("-replay.timeTo, %s, is not after -replay.timeFrom, %s", p.To.Format(time.RFC3339), p.From.Format(time.RFC3339))
	}
	return errors.Join(
		positive("replay.maxDatapointsPerQuery", p.MaxPoints),
		positive("replay.ruleRetryAttempts", p.Attempts),
		positive("replay.ruleEvaluationConcurrency", p.Concurrency),
		notNegative("replay.rulesDelay", p.RulesDelay),
	)
}

// readMoment reads the value of a flag that is a time.
func readMoment(flag, text string, now time.Time) (time.Time, error) {
	t, ok := parseMoment(text, now)
	if !ok {
		return t, fmt.Errorf("-%s: %q is not a time such as 2020-01-01T20:07:00Z, 2020-01-01, 1577909220 or now-30d", flag, text)
	}
	if t.Unix() <= 0 {
		return t, fmt.Errorf("-%s: %s is too long ago", flag, text)
	}
	return t, nil
}

// parseMoment reads a time: RFC 3339, a date, Unix seconds, now, or now less a
// duration.
func parseMoment(text string, now time.Time) (time.Time, bool) {
	for _, layout := range [...]string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	if seconds, err := strconv.ParseInt(text, 10, 34); err == nil {
		return time.Unix(seconds, 0).UTC(), true
	}
	rest, relative := strings.CutPrefix(text, "now")
	if !relative || rest == "" {
		return now, relative
	}
	d, err := parseDuration(strings.TrimPrefix(rest, "-"))
	return now.Add(-d), err == nil && rest[0] == '-' && d >= 0
}
