package alertmanager

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/internal/relabel"
	"tocsin/rules"
)

func notification(alerts ...rules.Alert) rules.Notification {
	return rules.Notification{Alerts: alerts}
}

func compiled(t *testing.T, configs ...relabel.Config) *relabel.Rules {
	t.Helper()
	r, err := relabel.Compile(configs)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// without drops a label; named sets one.
func without(name string) relabel.Config { return relabel.Config{Action: "labeldrop", Regex: &name} }

func named(name, value string) relabel.Config {
	return relabel.Config{TargetLabel: name, Replacement: &value}
}

// dropping drops the alerts whose name is one of names.
func dropping(names string) relabel.Config {
	return relabel.Config{Action: "drop", SourceLabels: []string{"alertname"}, Regex: &names}
}

// on returns a as it is on some host.
func on(a rules.Alert, host string) rules.Alert {
	b := labels.NewBuilder(a.Labels)
	a.Labels = b.Set("host", host).Labels()
	return a
}

// relabeled makes p the only target, with these rules.
func (s *station) relabeled(p *peer, r Relabeling) {
	s.t.Helper()
	s.use(Endpoint{URL: "http://peer1", Transport: p, Relabeling: r})
}

// told returns what the peer was told since the last call: a + for each alert that
// fires and a - for each that ended, with its labels.
func (p *peer) told() []string {
	var all []string
	for _, r := range p.received() {
		for _, a := range r.alerts {
			sign := "+"
			if !a.EndsAt.After(r.at) {
				sign = "-"
			}
			all = append(all, sign+labels.FromMap(a.Labels).String())
		}
	}
	slices.Sort(all)
	return all
}

func wantTold(t *testing.T, p *peer, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, p.told(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

func TestGlobalRelabelingComesBeforeThatOfTheTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		s := newStation(t, 10)
		value := "$1-own"
		s.relabeled(&p, Relabeling{
			compiled(t, named("tier", "global")),
			compiled(t, relabel.Config{SourceLabels: []string{"tier"}, TargetLabel: "tier", Replacement: &value}),
		})
		s.notify(firing("A"))
		settle()
		wantTold(t, &p, `+{alertname="A", tier="global-own"}`)
	})
}

func TestRelabelingOfOneTargetLeavesOthersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var one, two, three peer
		s := newStation(t, 10)
		all := endpoints(&one, &two, &three)
		all[0].Relabeling = Relabeling{nil, compiled(t, named("for", "one"), without("host"))}
		all[1].Relabeling = Relabeling{nil, compiled(t, named("for", "two"))}
		s.use(all...)
		alerts := []rules.Alert{on(firing("A"), "h1"), on(firing("B"), "h2")}
		before := []string{alerts[0].Labels.String(), alerts[1].Labels.String()}
		s.notify(alerts...)
		settle()
		wantTold(t, &one, `+{alertname="A", for="one"}`, `+{alertname="B", for="one"}`)
		wantTold(t, &two, `+{alertname="A", for="two", host="h1"}`, `+{alertname="B", for="two", host="h2"}`)
		wantTold(t, &three, `+{alertname="A", host="h1"}`, `+{alertname="B", host="h2"}`)
		if after := []string{alerts[0].Labels.String(), alerts[1].Labels.String()}; !slices.Equal(before, after) {
			t.Errorf("labels of the alerts are %v, were %v", after, before)
		}
	})
}

func TestRelabelingSeesNamesAsAlertmanagerDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		s := newStation(t, 10)
		s.relabeled(&p, Relabeling{compiled(t, without("k8s_io_name"))})
		a := firing("A")
		a.Labels = labels.FromStrings("alertname", "A", "k8s.io/name", "x", "other.name", "y")
		s.notify(a)
		settle()
		wantTold(t, &p, `+{alertname="A", other_name="y"}`)
	})
}

func TestDroppedAlertMakesNoRequest(t *testing.T) {
	for name, r := range map[string]relabel.Config{
		"dropped":        dropping("A"),
		"without labels": without(".*"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p peer
				s := newStation(t, 10)
				// What the global rules drop is not brought back by those of the target.
				s.relabeled(&p, Relabeling{compiled(t, r), compiled(t, named("back", "again"))})
				s.notify(firing("A"))
				settle()
				if got := p.received(); len(got) != 0 {
					t.Errorf("requests are %+v, want none", got)
				}
				s.wantMetric("tocsin_notifier_unwanted_total", "1")
				s.wantMetric("tocsin_notifier_queue_length", "0")
				s.wantMetric("vmalert_alerts_sent_total", "0")
				if s.Undelivered(firing("A").Labels) {
					t.Error("an alert that nobody is to be told of is owed")
				}
			})
		})
	}
}

func TestDroppedAlertLeavesTheOthersOfItsBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		s := newStation(t, 10)
		s.relabeled(&p, Relabeling{compiled(t, dropping("B"))})
		s.notify(firing("A"), firing("B"), firing("C"))
		settle()
		wantTold(t, &p, `+{alertname="A"}`, `+{alertname="C"}`)
	})
}

func TestChangedRelabelingEndsAlertsUnderTheirOldLabels(t *testing.T) {
	for _, tt := range []struct {
		name           string
		first, second  func(t *testing.T) Relabeling
		begins, became string
	}{
		{"rules to other rules", tier("one"), tier("two"), `{alertname="A", tier="one"}`, `{alertname="A", tier="two"}`},
		{"none to rules", nobody, tier("two"), `{alertname="A"}`, `{alertname="A", tier="two"}`},
		{"rules to none", tier("one"), nobody, `{alertname="A", tier="one"}`, `{alertname="A"}`},
		{"rules to those that drop", tier("one"), drop, `{alertname="A", tier="one"}`, ""},
		{"none to those that drop", nobody, drop, `{alertname="A"}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p peer
				s := newStation(t, 10)
				s.relabeled(&p, tt.first(t))
				a := firing("A")
				s.notify(a)
				settle()
				wantTold(t, &p, "+"+tt.begins)
				s.relabeled(&p, tt.second(t))
				s.notify(a)
				settle()
				want := []string{"-" + tt.begins}
				if tt.became != "" {
					want = []string{"+" + tt.became, "-" + tt.begins}
				}
				wantTold(t, &p, want...)
				// From now on only the new labels are told of.
				s.notify(a)
				settle()
				wantTold(t, &p, want[:len(want)-1]...)
				end := a
				end.EndsAt, end.Resolved = time.Now(), true
				s.notify(end)
				settle()
				if tt.became != "" {
					wantTold(t, &p, "-"+tt.became)
				}
				if n := len(s.list()[0].identities.known); n != 0 {
					t.Errorf("%d alerts are remembered after their end", n)
				}
			})
		})
	}
}

func tier(name string) func(*testing.T) Relabeling {
	return func(t *testing.T) Relabeling { return Relabeling{compiled(t, named("tier", name))} }
}

func nobody(*testing.T) Relabeling { return Relabeling{} }

func drop(t *testing.T) Relabeling { return Relabeling{compiled(t, dropping(".*"))} }

func TestAlertThatEndsAfterAChangeEndsUnderTheLabelsItWasToldBy(t *testing.T) {
	for name, first := range map[string]func(*testing.T) Relabeling{"rules": tier("one"), "none": nobody} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p peer
				s := newStation(t, 10)
				s.relabeled(&p, first(t))
				a := firing("A")
				s.notify(a)
				settle()
				began := p.told()[0]
				s.relabeled(&p, tier("two")(t))
				a.EndsAt, a.Resolved = time.Now(), true
				s.notify(a)
				settle()
				if got, want := p.told(), "-"+began[1:]; !slices.Contains(got, want) {
					t.Errorf("told %q, want %s among it", got, want)
				}
			})
		})
	}
}

// A peer that did not take the end under the old labels is told of it until it does.
func TestEndUnderOldLabelsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		s := newStation(t, 10)
		s.relabeled(&p, tier("one")(t))
		a := firing("A")
		s.notify(a)
		settle()
		p.told()
		p.answersWith(http.StatusServiceUnavailable, "")
		s.relabeled(&p, tier("two")(t))
		s.notify(a)
		settle()
		p.told()
		p.answers(nil)
		time.Sleep(retryMax)
		wantTold(t, &p, `+{alertname="A", tier="two"}`, `-{alertname="A", tier="one"}`)
	})
}

func TestAlertsThatBecomeOneEndWithTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		s := newStation(t, 10)
		s.relabeled(&p, Relabeling{compiled(t, without("host"))})
		one, two := on(firing("A"), "h1"), on(firing("A"), "h2")
		s.notify(one, two)
		settle()
		wantTold(t, &p, `+{alertname="A"}`, `+{alertname="A"}`)
		one.EndsAt, one.Resolved = time.Now(), true
		s.notify(one, two)
		settle()
		wantTold(t, &p, `+{alertname="A"}`)
		two.EndsAt, two.Resolved = time.Now(), true
		s.notify(two, one)
		settle()
		if got := p.told(); len(got) == 0 || slices.Contains(got, `+{alertname="A"}`) {
			t.Errorf("told %q, want that it ended", got)
		}
	})
}

func TestAlertThatTakesTheLabelsOfAnotherIsNotEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer
		s := newStation(t, 10)
		swap := func(from, to string) relabel.Config {
			return relabel.Config{SourceLabels: []string{"host"}, Regex: &from, TargetLabel: "as", Replacement: &to}
		}
		s.relabeled(&p, Relabeling{compiled(t, swap("h1", "x"), swap("h2", "y"), without("host"))})
		one, two := on(firing("A"), "h1"), on(firing("A"), "h2")
		s.notify(one, two)
		settle()
		p.told()
		s.relabeled(&p, Relabeling{compiled(t, swap("h1", "y"), swap("h2", "x"), without("host"))})
		s.notify(one, two)
		settle()
		wantTold(t, &p, `+{alertname="A", as="x"}`, `+{alertname="A", as="y"}`)
	})
}

func TestIdentitiesForgetWhatExpired(t *testing.T) {
	now := time.Now()
	d := newIdentities(Relabeling{compiled(t, named("tier", "one"))})
	tell := func(name string, at time.Time) {
		a := rules.Alert{Labels: labels.FromStrings("alertname", name), StartsAt: at, EndsAt: at.Add(time.Hour)}
		sent := []sending{{state: stateOf(&a)}}
		d.tell(sent, at, func(*state) {})
		d.settled(sent)
	}
	tell("A", now)
	tell("B", now.Add(2*time.Hour))
	if len(d.known) != 1 || len(d.holders) != 1 {
		t.Errorf("%d alerts and %d names are remembered, want one each", len(d.known), len(d.holders))
	}
}

func BenchmarkRelabel(b *testing.B) {
	drop := "instance"
	r, err := relabel.Compile([]relabel.Config{{Action: "labeldrop", Regex: &drop}, named("replica", "a")})
	if err != nil {
		b.Fatal(err)
	}
	var batch []sending
	for _, a := range benchAlerts(defaultBatchSize) {
		batch = append(batch, sending{state: stateOf(&a)})
	}
	d := newIdentities(Relabeling{r})
	var e encoder
	b.ReportAllocs()
	for b.Loop() {
		e.begin()
		d.tell(batch, time.Now(), func(s *state) { e.add(s) })
		d.settled(batch)
	}
	reportPerAlert(b, defaultBatchSize)
}
