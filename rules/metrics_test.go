package rules_test

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/rules/rulestest"
)

func TestMetricsOfGroupsAndRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("a", rulestest.Sample(1, "x", "1"), rulestest.Sample(1, "x", "2"))
		g := group(`we"ird`, alerting("A", "a", 0), recording("r", "a"))
		g.Limit = 7
		w.apply(g)
		w.pass(11 * time.Second)
		var b bytes.Buffer
		w.manager.WriteMetrics(&b)
		want := `vmalert_group_rule_results_limit{group="we\"ird",file="f.yml"} 7
vmalert_iteration_interval_seconds{group="we\"ird",file="f.yml"} 10
vmalert_iteration_missed_total{group="we\"ird",file="f.yml"} 0
vmalert_iteration_reset_total{group="we\"ird",file="f.yml"} 0
vmalert_iteration_total{group="we\"ird",file="f.yml"} 2
vmalert_iteration_duration_seconds{group="we\"ird",file="f.yml",quantile="0.5"} 0
vmalert_iteration_duration_seconds{group="we\"ird",file="f.yml",quantile="0.9"} 0
vmalert_iteration_duration_seconds{group="we\"ird",file="f.yml",quantile="0.97"} 0
vmalert_iteration_duration_seconds{group="we\"ird",file="f.yml",quantile="0.99"} 0
vmalert_iteration_duration_seconds{group="we\"ird",file="f.yml",quantile="1"} 0
vmalert_iteration_duration_seconds_sum{group="we\"ird",file="f.yml"} 0
vmalert_iteration_duration_seconds_count{group="we\"ird",file="f.yml"} 2
vmalert_alerts_pending{alertname="A",group="we\"ird",file="f.yml",id="14683048853047588629"} 0
vmalert_alerts_firing{alertname="A",group="we\"ird",file="f.yml",id="14683048853047588629"} 2
vmalert_alerting_rules_errors_total{alertname="A",group="we\"ird",file="f.yml",id="14683048853047588629"} 0
vmalert_alerting_rules_last_evaluation_samples{alertname="A",group="we\"ird",file="f.yml",id="14683048853047588629"} 2
vmalert_alerting_rules_last_evaluation_series_fetched{alertname="A",group="we\"ird",file="f.yml",id="14683048853047588629"} 2
vmalert_recording_rules_errors_total{recording="r",group="we\"ird",file="f.yml",id="17040794643561532639"} 0
vmalert_recording_rules_last_evaluation_samples{recording="r",group="we\"ird",file="f.yml",id="17040794643561532639"} 2
`
		if diff := cmp.Diff(want, b.String()); diff != "" {
			t.Errorf("metrics (-want +got):\n%s", diff)
		}
	})
}
