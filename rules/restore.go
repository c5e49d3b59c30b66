package rules

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
)

// Restorer looks up in storage since when alerts are active.
type Restorer struct {
	querier  Querier
	lookback time.Duration
	counters *Counters

	promQL atomic.Bool // the storage is known not to speak MetricsQL
}

// NewRestorer returns a Restorer that asks q and looks back as far as lookback.
func NewRestorer(q Querier, lookback time.Duration, c *Counters) *Restorer {
	return &Restorer{querier: q, lookback: lookback, counters: c}
}

// activeSince returns since when the alerts of a rule were active at the time
// at, by their labels. Alerts that had ended are not among them.
func (r *Restorer) activeSince(ctx context.Context, g *config.Group, rule *config.Rule, selector string, at time.Time) (map[labels.Labels]Instant, error) {
	q := newQuery(g, rule, at)
	q.Type = config.Prometheus
	if g.Type != config.Prometheus {
		q.Params = nil // they are arguments of another API
	}
	if !r.promQL.Load() {
		q.Expr = restoreMetricsQL(selector, r.lookback)
		res, err := r.querier.Query(ctx, q)
		if err == nil || !errors.Is(err, ErrRejected) {
			return activeTimes(res, g.Tenant), err
		}
	}
	q.Expr = restorePromQL(selector, r.lookback)
	res, err := r.querier.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	r.promQL.Store(true)
	return activeTimes(res, g.Tenant), nil
}

// restoreMetricsQL returns the expression for the last value of a series within
// lookback. default_rollup knows stale markers: a series that was ended is not
// brought back.
func restoreMetricsQL(selector string, lookback time.Duration) string {
	return fmt.Sprintf("default_rollup(%s[%ds])", selector, int(lookback.Seconds()))
}

// Prometheus finds a series for 5 minutes after its last sample, unless a stale
// marker ends it before.
const (
	promLookback = 5 * time.Minute
	restoreStep  = 15 * time.Second
)

// restorePromQL returns the same for Prometheus, where last_over_time looks past
// stale markers. A series that is not found at present was ended by a marker if
// it ceased to be found much sooner after its last sample than a series that
// merely received no more.
func restorePromQL(selector string, lookback time.Duration) string {
	window := fmt.Sprintf("[%ds:%ds]", int(lookback.Seconds()), int(restoreStep.Seconds()))
	faded := fmt.Sprintf("(max_over_time((0 * %[1]s + time())%[2]s) - max_over_time(timestamp(%[1]s)%[2]s) > %[3]d)",
		selector, window, int((promLookback - 4*restoreStep).Seconds()))
	return fmt.Sprintf("last_over_time(%s[%ds]) and (%s or %s)", selector, int(lookback.Seconds()), faded, selector)
}

// activeTimes returns the times that samples stand for, by the labels of their
// alerts, of which storage does not keep those of the tenant.
func activeTimes(res Result, t config.Tenant) map[labels.Labels]Instant {
	since := make(map[labels.Labels]Instant, len(res.Samples))
	tenant := newTenant(t)
	for _, s := range res.Samples {
		if s.V > 0 && !math.IsInf(s.V, 0) && !tenant.contradicts(s.Labels) {
			alert := s.Labels.DropReserved(func(name string) bool { return name == model.MetricNameLabel })
			since[tenant.put(alert)] = Instant(s.V) * Instant(time.Second)
		}
	}
	return since
}

// restoreSelector returns the selector of the series that tell since when the
// alerts of the rule are active. Labels with templates are left out of it: the
// answer is matched by the whole label set anyway. Those of the tenant are not
// there to be selected by.
func (r *alertingRule) restoreSelector() string {
	var b strings.Builder
	b.WriteString(forStateSeries + "{" + alertnameLabel + "=" + strconv.Quote(r.Rule.Name))
	if !r.deps.Options.DisableAlertgroup {
		b.WriteString("," + alertgroupLabel + "=" + strconv.Quote(r.group.Key.Name))
	}
	for _, p := range r.Labels {
		if p.Value == "" || isTemplate(p.Value) || p.Name == alertnameLabel || p.Name == alertgroupLabel || slices.Contains(r.tenant.pairs, p) {
			continue
		}
		b.WriteString("," + matcherName(p.Name) + "=" + strconv.Quote(p.Value))
	}
	b.WriteString("}")
	return b.String()
}

// matcherName returns name as it is written in a selector.
func matcherName(name string) string {
	if labelNamePattern.MatchString(name) {
		return name
	}
	return strconv.Quote(name)
}
