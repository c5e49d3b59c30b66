package app

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

// linkOf returns the generatorURL of the alert of oneAlert, as Alertmanager and
// the API see it.
func linkOf(t *testing.T, external ExternalOptions) (d *running, link string) {
	t.Helper()
	w := newWorld(t)
	w.answer("down", map[string]string{"host": "db 1"})
	o := withAlertmanager(options(w, ruleFile(t, oneAlert)), w)
	o.External = external
	d = start(t, o)
	link = w.awaitAlert(t, "Down").GeneratorURL
	await(t, "the alert is shown", func() bool { return len(d.groups()[0].Rules[0].Alerts) == 1 })
	if source := d.groups()[0].Rules[0].Alerts[0].Source; !strings.HasSuffix(link, source) {
		t.Errorf("the API shows the source %q, Alertmanager has %q", source, link)
	}
	return d, link
}

func TestDefaultLinkLeadsToThePageOfTheAlert(t *testing.T) {
	const external = "https://alerts.example/t"
	d, link := linkOf(t, ExternalOptions{URL: external})
	path, ok := strings.CutPrefix(link, external)
	if !ok || !strings.HasPrefix(path, "/vmalert/alert?group_id=") {
		t.Fatalf("link is %q", link)
	}
	code, body := d.get(path)
	if code != http.StatusOK || !strings.Contains(body, "Down") || !strings.Contains(body, "db 1") {
		t.Errorf("%s: %d\n%s", path, code, body)
	}
	code, body = d.get(strings.Replace(path, "/vmalert/alert", "/vmalert/api/v1/alert", 1))
	if code != http.StatusOK || !strings.Contains(body, `"Down"`) {
		t.Errorf("API of %s: %d\n%s", path, code, body)
	}
}

func TestLinkWithoutExternalURLBeginsWithTheHost(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	_, link := linkOf(t, ExternalOptions{})
	if !strings.HasPrefix(link, "http://"+host+":0/vmalert/alert?") {
		t.Errorf("link is %q", link)
	}
}

func TestLinkOfTemplate(t *testing.T) {
	_, link := linkOf(t, ExternalOptions{
		URL: "https://grafana.example", AlertSource: `explore?left={{ $expr | queryEscape }}&host={{ $labels.host | queryEscape }}`,
	})
	if want := "https://grafana.example/explore?left=down&host=db+1"; link != want {
		t.Errorf("link is %q, want %q", link, want)
	}
}

func TestLinkOfFailingTemplateIsTheExternalURL(t *testing.T) {
	_, link := linkOf(t, ExternalOptions{
		URL: "https://grafana.example", AlertSource: `x?{{ parseDuration $expr }}`,
	})
	if want := "https://grafana.example"; link != want {
		t.Errorf("link is %q, want %q", link, want)
	}
}
