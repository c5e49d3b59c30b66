package discovery

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
	"tocsin/config/notifiers"
	"tocsin/internal/httpx"
)

// consulOver starts a Finder for c that asks fake.
func (b *bench) consulOver(t *testing.T, fake *fakeConsul, c *notifiers.Consul) *Finder {
	if c.URL == "" {
		c.URL = "http://consul:8500"
	}
	s := newConsul(c, inProcess{fake}, &b.Options, b.Counts.of(notifiers.ConsulKind))
	return b.over(t, notifiers.ConsulKind, s)
}

// passes lets everything happen that happens until the interval is over.
func passes() {
	time.Sleep(consulInterval)
	synctest.Wait()
}

func TestConsulFindsInstancesOfServices(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		fake := newFakeConsul(t)
		fake.has(
			instance("alertmanager", "am-2", "10.0.0.2", 9093), instance("alertmanager", "am-1", "10.0.0.1", 9093),
			instance("Alertmanager-x", "x", "10.0.0.9", 80), instance("db", "db", "10.0.0.3", 5432),
		)
		b := newBench()
		f := b.consulOver(t, fake, &notifiers.Consul{Query: notifiers.ConsulQuery{Services: []string{"ALERTMANAGER"}}, TagSeparator: ","})
		<-f.Looked()
		synctest.Wait() // an answer is counted after what it says is known
		wantAddresses(t, f, "10.0.0.1:9093", "10.0.0.2:9093")
		if found := f.Found(); !found.Complete || found.Err != nil {
			t.Errorf("found %+v, want all of it without error", found)
		}
		if got := b.metric(t, `tocsin_discovery_lookups_total{kind="consulSD"}`); got != "2" {
			t.Errorf("%s look-ups were counted, want 2", got)
		}
	})
}

func TestConsulChangesAreSeenWithinTheInterval(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		fake := newFakeConsul(t)
		fake.has(instance("am", "1", "10.0.0.1", 9093))
		f := newBench().consulOver(t, fake, &notifiers.Consul{})
		passes()
		wantAddresses(t, f, "10.0.0.1:9093")
		fake.has(instance("am", "1", "10.0.0.1", 9093), instance("am", "2", "10.0.0.2", 9093))
		passes()
		wantAddresses(t, f, "10.0.0.1:9093", "10.0.0.2:9093")
		fake.has(instance("other", "3", "10.0.0.3", 9093)) // a service goes, another comes
		passes()
		wantAddresses(t, f, "10.0.0.3:9093")
		fake.has()
		passes()
		wantAddresses(t, f)
		if err := f.Found().Err; err != nil {
			t.Errorf("that nobody is there is an error: %v", err)
		}
	})
}

func TestConsulIsAskedToWaitForChanges(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		fake := newFakeConsul(t)
		fake.has(instance("am", "1", "10.0.0.1", 9093))
		b := newBench()
		b.ConsulWait = 2 * time.Minute
		b.consulOver(t, fake, &notifiers.Consul{})
		time.Sleep(time.Hour)
		synctest.Wait()
		catalog := 0
		for _, q := range fake.questions() {
			if q.path != "/v1/catalog/services" {
				continue
			}
			if catalog++; catalog > 1 && (q.args.Get("index") != "8" || q.args.Get("wait") != "120000ms") {
				t.Errorf("question %d has index %q and wait %q", catalog, q.args.Get("index"), q.args.Get("wait"))
			}
		}
		// Two minutes of waiting, and the pause.
		if want := int(time.Hour/(2*time.Minute+consulInterval/2)) + 1; catalog < want-1 || catalog > want+1 {
			t.Errorf("asked %d times in an hour, want about %d", catalog, want)
		}
	})
}

func TestConsulQuestionsHaveWhatTheBlockSays(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		fake := newFakeConsul(t)
		fake.has(instance("am/1", "1", "10.0.0.1", 9093, "prod", "x"), instance("am", "2", "10.0.0.2", 9093, "prod"))
		f := newBench().consulOver(t, fake, &notifiers.Consul{Query: notifiers.ConsulQuery{
			Datacenter: "dc2", Namespace: "ns", Partition: "part", Tags: []string{"prod", "x"},
			NodeMeta: []config.Pair{{Name: "rack", Value: "1"}, {Name: "zone", Value: "a"}},
			Filter:   "ServiceName != db", HealthFilter: "Checks.Status == passing", AllowStale: true,
		}})
		<-f.Looked()
		wantAddresses(t, f, "10.0.0.1:9093")
		var got []string
		for _, q := range fake.questions() {
			got = append(got, q.path+" "+q.args.Encode())
		}
		const common = "node-meta=rack%3A1&node-meta=zone%3Aa&ns=ns&partition=part&stale="
		want := []string{
			"/v1/catalog/services dc=dc2&filter=ServiceName+%21%3D+db&" + common,
			"/v1/health/service/am/1 dc=dc2&filter=Checks.Status+%3D%3D+passing&" + common + "&tag=prod&tag=x",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestConsulThatFailsKeepsWhatWasFound(t *testing.T) {
	for name, status := range map[string]int{"unreachable": http.StatusTeapot, "server error": 500, "forbidden": 403} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				fake := newFakeConsul(t)
				fake.has(instance("am", "1", "10.0.0.1", 9093))
				b := newBench()
				f := b.consulOver(t, fake, &notifiers.Consul{})
				passes()
				fake.breaks(status)
				passes()
				since := f.Found().Since
				time.Sleep(10 * time.Minute)
				wantAddresses(t, f, "10.0.0.1:9093")
				if found := f.Found(); found.Err == nil || found.Since != since {
					t.Errorf("error is %v since %s, want one since %s", found.Err, found.Since, since)
				}
				fake.breaks(0)
				fake.has(instance("am", "2", "10.0.0.2", 9093))
				passes()
				wantAddresses(t, f, "10.0.0.2:9093")
				if err := f.Found().Err; err != nil {
					t.Errorf("error is %v after Consul is back", err)
				}
				for _, line := range []string{"discovery of alertmanagers fails", "discovery of alertmanagers works again"} {
					if got := strings.Count(b.log.String(), line); got != 1 {
						t.Errorf("%q was logged %d times:\n%s", line, got, b.log)
					}
				}
			})
		})
	}
}

// A question that waits for changes must not keep an error alive.
func TestConsulThatIsBackUnchangedIsNoError(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		fake := newFakeConsul(t)
		fake.has(instance("am", "1", "10.0.0.1", 9093))
		f := newBench().consulOver(t, fake, &notifiers.Consul{})
		passes()
		fake.breaks(503)
		passes()
		fake.breaks(0)
		passes()
		if err := f.Found().Err; err != nil {
			t.Error(err)
		}
	})
}

// A gateway that answers 200 with a page of its own is a failure like any other.
func TestConsulAnswerThatIsRubbishCountsAsAFailedLookup(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		fake := newFakeConsul(t)
		fake.has(instance("am", "1", "10.0.0.1", 9093))
		b := newBench()
		f := b.consulOver(t, fake, &notifiers.Consul{})
		passes()
		const failures = `tocsin_discovery_lookup_errors_total{kind="consulSD"}`
		if got := b.metric(t, failures); got != "0" {
			t.Fatalf("%s failures while everything works", got)
		}
		fake.talksRubbish()
		passes()
		if f.Found().Err == nil {
			t.Error("rubbish is no error")
		}
		wantAddresses(t, f, "10.0.0.1:9093")
		if got := b.metric(t, failures); got == "0" {
			t.Error("answers that cannot be used are not counted as failures")
		}
	})
}

func TestConsulNeverReportsLessThanBefore(t *testing.T) {
	var names []string
	for i := range 100 {
		names = append(names, strconv.Itoa(i))
	}
	b := newBench()
	s := newConsul(&notifiers.Consul{}, nil, &b.Options, b.Counts.of(notifiers.ConsulKind)).(*consul)
	s.parts.keep(names)
	var most atomic.Int64
	report := func(v view) {
		n := int64(len(v.targets))
		runtime.Gosched() // who sees more overtakes who sees less, unless it waits
		if was := most.Swap(n); n < was {
			t.Errorf("%d targets were reported after %d", n, was)
		}
	}
	var wg sync.WaitGroup
	for _, name := range names {
		wg.Go(func() {
			s.parts.set(name, []labels.Labels{labels.FromStrings(addressLabel, name)}, nil)
			s.tell(report)
		})
	}
	wg.Wait()
	if n := most.Load(); n != int64(len(names)) {
		t.Errorf("%d targets were reported last, want %d", n, len(names))
	}
}

func TestConsulThatIsDownAtTheStartIsTriedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		fake := newFakeConsul(t)
		fake.has(instance("am", "1", "10.0.0.1", 9093))
		fake.breaks(500)
		f := newBench().consulOver(t, fake, &notifiers.Consul{})
		<-f.Looked()
		want := "list the services of http://consul:8500: status 500"
		if found := f.Found(); found.Complete || found.Err == nil || found.Err.Error() != want {
			t.Errorf("found %+v, want the error %s", found, want)
		}
		fake.breaks(0)
		time.Sleep(2 * retryFirst)
		synctest.Wait()
		wantAddresses(t, f, "10.0.0.1:9093")
	})
}

func TestConsulIndexThatGoesBackBeginsAnew(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		fake := newFakeConsul(t)
		fake.has(instance("am", "1", "10.0.0.1", 9093))
		f := newBench().consulOver(t, fake, &notifiers.Consul{})
		passes()
		fake.restarts()
		passes()
		fake.has(instance("am", "2", "10.0.0.2", 9093))
		passes()
		wantAddresses(t, f, "10.0.0.2:9093")
	})
}

func TestConsulLabels(t *testing.T) {
	i := instance("am", "am-1", "", 9093, "prod", "zone=a", "odd tag")
	i.Node.Meta = map[string]string{"rack-no": "7"}
	i.Node.TaggedAddresses = map[string]string{"lan": "10.0.0.1", "wan": "1.2.3.4"}
	i.Service.Meta = map[string]string{"version": "0.30"}
	i.Service.Namespace, i.Service.Partition = "ns", "part"
	wantLabels(t, instanceTargets("am", []consulInstance{i}, ","), `{__address__="10.0.0.1:9093", `+
		`__meta_consul_address="10.0.0.1", __meta_consul_dc="dc1", __meta_consul_health="passing", `+
		`__meta_consul_metadata_rack_no="7", __meta_consul_namespace="ns", __meta_consul_node="node-am-1", `+
		`__meta_consul_partition="part", __meta_consul_service="am", __meta_consul_service_id="am-1", `+
		`__meta_consul_service_metadata_version="0.30", __meta_consul_service_port="9093", `+
		`__meta_consul_tag_zone="a", __meta_consul_tagged_address_lan="10.0.0.1", __meta_consul_tagged_address_wan="1.2.3.4", `+
		`__meta_consul_tagpresent_odd_tag="true", __meta_consul_tagpresent_prod="true", __meta_consul_tagpresent_zone="true", `+
		`__meta_consul_tags=",prod,zone=a,odd tag,"}`)
	i.Service.Address = "fd00::1"
	if got := instanceTargets("am", []consulInstance{i}, ",")[0].Get(addressLabel); got != "[fd00::1]:9093" {
		t.Errorf("address is %s, want the one of the service", got)
	}
}

func TestHealthIsTheGravestOfTheChecks(t *testing.T) {
	check := func(id, status string) consulCheck { return consulCheck{CheckID: id, Status: status} }
	for want, checks := range map[string][]consulCheck{
		"passing":     {check("a", "passing"), check("b", "passing")},
		"warning":     {check("a", "warning"), check("b", "passing")},
		"critical":    {check("a", "warning"), check("b", "critical")},
		"maintenance": {check("_service_maintenance:am", "critical"), check("b", "passing")},
		"":            {check("a", "passing"), check("b", "unheard of")},
	} {
		if got := health(checks); got != want {
			t.Errorf("health of %v is %q, want %q", checks, got, want)
		}
	}
	if got := health(nil); got != "passing" {
		t.Errorf("health without checks is %q, want passing", got)
	}
}

func TestNextIndex(t *testing.T) {
	for _, tt := range []struct {
		index  uint64
		header string
		want   uint64
	}{
		{0, "7", 7}, {7, "7", 7}, {7, "8", 8}, {7, "6", 0}, {7, "", 0}, {7, "x", 0}, {7, "-1", 0}, {0, "0", 0},
	} {
		if got := nextIndex(tt.index, tt.header); got != tt.want {
			t.Errorf("after %d and %q comes %d, want %d", tt.index, tt.header, got, tt.want)
		}
	}
}

func TestConsulTokenIsSent(t *testing.T) {
	fake := newFakeConsul(t)
	server := httptest.NewServer(fake)
	defer server.Close()
	f := newBench().start(t, &notifiers.Block{Kind: notifiers.ConsulKind, Consul: &notifiers.Consul{
		URL: server.URL, Client: httpx.ClientOptions{BearerToken: "hunter2"},
	}})
	<-f.Looked()
	if asked := fake.questions(); len(asked) == 0 || asked[0].token != "Bearer hunter2" {
		t.Errorf("asked %+v, want one question with the token", asked)
	}
	f.Stop()
}

func FuzzConsulInstances(f *testing.F) {
	f.Add(`[{"Node":{"Node":"n","Address":"a"},"Service":{"Port":1,"Tags":["a=b"]},"Checks":[{"Status":"passing"}]}]`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, body string) {
		all, err := parseInstances([]byte(body))
		if err != nil {
			return
		}
		if got := instanceTargets("am", all, ","); len(got) != len(all) {
			t.Errorf("%d targets of %d instances", len(got), len(all))
		}
	})
}
