package discovery

import (
	"testing"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config/notifiers"
	"tocsin/internal/relabel"
)

func TestTargetOfAnAddress(t *testing.T) {
	for _, tt := range []struct{ address, scheme, prefix, want string }{
		{"am:9093", "http", "", "http://am:9093/api/v2/alerts"},
		{"am:9093", "https", "/pre/", "https://am:9093/pre/api/v2/alerts"},
		{"am", "http", "", "http://am:80/api/v2/alerts"},
		{"am", "https", "", "https://am:443/api/v2/alerts"},
		{"https://am", "http", "", "https://am:443/api/v2/alerts"},
		{"http://am:9093", "https", "pre", "http://am:9093/pre/api/v2/alerts"},
		{"http://am:9093/", "http", "pre", "http://am:9093/pre/api/v2/alerts"},
		{"http://am:9093/own/path?x=y", "http", "pre", "http://am:9093/own/path?x=y"},
		{"am:9093/own", "http", "", "http://am:9093/own"},
		{"[fd00::1]:9093", "http", "", "http://[fd00::1]:9093/api/v2/alerts"},
		{"[fd00::1]", "http", "", "http://[fd00::1]:80/api/v2/alerts"},
		{"http://u:p@am/x", "http", "", "http://u:p@am:80/x"},
	} {
		b := &notifiers.Block{Alertmanager: notifiers.Alertmanager{Scheme: tt.scheme, PathPrefix: tt.prefix}}
		got, err := Targets(b, []labels.Labels{labels.FromStrings(addressLabel, tt.address)})
		if err != nil || len(got) != 1 || got[0].URL != tt.want {
			t.Errorf("%s: %+v, %v, want %s", tt.address, got, err, tt.want)
		}
	}
}

func TestUnusableAddressesDoNotStopOthers(t *testing.T) {
	var found []labels.Labels
	for _, address := range []string{"am:port", "good", "", "u:hunter2@am:0", "a b"} {
		found = append(found, labels.FromStrings(addressLabel, address))
	}
	got, err := Targets(&notifiers.Block{Alertmanager: notifiers.Alertmanager{Scheme: "http"}}, found)
	if len(got) != 1 || got[0].URL != "http://good:80/api/v2/alerts" {
		t.Errorf("targets are %+v, want the good one", got)
	}
	want := `target "am:port": not a valid URL
target "am:0": URL has a port that is not between 1 and 65535
target "a b": not a valid URL`
	if err == nil || err.Error() != want {
		t.Errorf("error is\n%v\nwant\n%s", err, want)
	}
}

func TestRelabelingMakesTargets(t *testing.T) {
	str := func(s string) *string { return &s }
	rules, err := relabel.Compile([]relabel.Config{
		{Action: "keep", SourceLabels: []string{"__meta_consul_health"}, Regex: str("passing")},
		{SourceLabels: []string{"__meta_consul_node"}, TargetLabel: "node"},
		{SourceLabels: []string{"__meta_port"}, TargetLabel: addressLabel, Replacement: str("am:$1")},
		{TargetLabel: schemeLabel, Replacement: str("https")},
		{TargetLabel: alertsPathLabel, Replacement: str("hook")},
	})
	if err != nil {
		t.Fatal(err)
	}
	b := &notifiers.Block{Relabel: rules, Alertmanager: notifiers.Alertmanager{Scheme: "http"}}
	got, err := Targets(b, []labels.Labels{
		labels.FromStrings(addressLabel, "x", "__meta_consul_health", "passing", "__meta_consul_node", "n1", "__meta_port", "1"),
		labels.FromStrings(addressLabel, "y", "__meta_consul_health", "critical"),
	})
	if err != nil || len(got) != 1 || got[0].URL != "https://am:1/hook" {
		t.Fatalf("targets are %+v, %v", got, err)
	}
	want := `{__address__="am:1", __alerts_path__="hook", __scheme__="https", node="n1"}`
	if s := got[0].Labels.String(); s != want {
		t.Errorf("labels are %s, want %s", s, want)
	}
}

func TestLabelsOfTargetsHoldNoSecrets(t *testing.T) {
	got, err := Targets(&notifiers.Block{}, []labels.Labels{labels.FromStrings(addressLabel, "http://u:hunter2@am:1/x?key=hunter2")})
	if err != nil {
		t.Fatal(err)
	}
	want := `{__address__="am:1", __alerts_path__="/x?key=xxxxx", __scheme__="http"}`
	if s := got[0].Labels.String(); s != want {
		t.Errorf("labels are %s, want %s", s, want)
	}
}

func FuzzTargets(f *testing.F) {
	f.Add("http://u:p@am:1/x?y=z")
	f.Add("[::1]")
	f.Add("@:/")
	f.Fuzz(func(t *testing.T, address string) {
		got, err := Targets(&notifiers.Block{Alertmanager: notifiers.Alertmanager{Scheme: "http"}},
			[]labels.Labels{labels.FromStrings(addressLabel, address)})
		if len(got) == 1 && err != nil || len(got) > 1 {
			t.Errorf("%d targets beside the error %v", len(got), err)
		}
	})
}
