package alertmanager

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"go.uber.org/goleak"

	"tocsin/config"
	"tocsin/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wireAlert is an alert as Alertmanager reads it.
type wireAlert struct {
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
}

func (a wireAlert) name() string { return a.Labels["alertname"] }

// request is one POST as the peer saw it.
type request struct {
	at     time.Time
	header http.Header
	url    string
	alerts []wireAlert
}

func (r request) names() string {
	var names []string
	for _, a := range r.alerts {
		names = append(names, a.name())
	}
	return strings.Join(names, " ")
}

// peer is an Alertmanager without a network. It answers 200 until told otherwise.
type peer struct {
	mu       sync.Mutex
	requests []request
	answer   func(r request) (*http.Response, error)
}

func (p *peer) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	r := request{at: time.Now(), header: req.Header, url: req.URL.String()}
	if err := json.Unmarshal(body, &r.alerts); err != nil {
		return respond(http.StatusBadRequest, err.Error()), nil
	}
	p.mu.Lock()
	p.requests = append(p.requests, r)
	answer := p.answer
	p.mu.Unlock()
	if answer == nil {
		return respond(http.StatusOK, ""), nil
	}
	resp, err := answer(r)
	if resp == nil && err == nil { // hang
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	return resp, err
}

func (p *peer) answers(f func(r request) (*http.Response, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = f
}

func (p *peer) answersWith(status int, body string) {
	p.answers(func(request) (*http.Response, error) { return respond(status, body), nil })
}

func (p *peer) hangs() {
	p.answers(func(request) (*http.Response, error) { return nil, nil })
}

// received returns the requests since the last call.
func (p *peer) received() []request {
	p.mu.Lock()
	defer p.mu.Unlock()
	got := p.requests
	p.requests = nil
	return got
}

// receivedNames returns the alerts of each request since the last call.
func (p *peer) receivedNames() []string {
	var names []string
	for _, r := range p.received() {
		names = append(names, r.names())
	}
	return names
}

func respond(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

// station is a started Set with what a test wants to look at.
type station struct {
	*Set
	t       *testing.T
	metrics *metrics.Set
	log     *bytes.Buffer // see logged
}

// newStation starts a Set with one target for each peer, and closes it in the
// end.
func newStation(t *testing.T, batchSize int, peers ...*peer) *station {
	t.Helper()
	s := &station{t: t, metrics: metrics.NewSet(), log: &bytes.Buffer{}}
	s.Set = NewSet(Options{MaxBatchSize: batchSize, Log: slog.New(slog.NewTextHandler(s.log, nil))}, s.metrics)
	s.use(endpoints(peers...)...)
	s.Start()
	t.Cleanup(func() {
		if err := s.Close(ended()); err != nil {
			t.Log(err)
		}
	})
	return s
}

// newSet returns a Set that is not started.
func newSet(t testing.TB, o Options, endpoints ...Endpoint) *Set {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := NewSet(o, metrics.NewSet())
	if err := s.Use(ended(), endpoints); err != nil {
		t.Fatal(err)
	}
	return s
}

// endpoints returns those of peers at http://peer1, http://peer2 and so on.
func endpoints(peers ...*peer) []Endpoint {
	var all []Endpoint
	for i, p := range peers {
		all = append(all, Endpoint{URL: "http://peer" + string(rune('1'+i)), Transport: p})
	}
	return all
}

// addresses returns the addresses of the targets of s, in order.
func addresses(s *Set) []string {
	var all []string
	for _, t := range s.Targets() {
		all = append(all, t.Address)
	}
	return all
}

// use makes endpoints the targets, and drains those that go for up to a minute.
func (s *station) use(endpoints ...Endpoint) {
	s.t.Helper()
	if err := s.Use(within(s.t, time.Minute), endpoints); err != nil {
		s.t.Fatal(err)
	}
}

// notify hands over alerts without group headers.
func (s *station) notify(alerts ...rules.Alert) {
	s.t.Helper()
	s.notifyWith(nil, alerts...)
}

func (s *station) notifyWith(headers []config.Pair, alerts ...rules.Alert) {
	s.t.Helper()
	if err := s.Notify(rules.Notification{Headers: headers, Alerts: alerts}); err != nil {
		s.t.Fatal(err)
	}
}

// logged returns what was logged when nothing is left to run now.
func (s *station) logged() string {
	synctest.Wait()
	return s.log.String()
}

// metric returns the value shown for a series of peer1, or for all of name if it
// has labels.
func (s *station) metric(name string) string {
	var b strings.Builder
	s.metrics.WritePrometheus(&b)
	if !strings.Contains(name, "{") && !strings.Contains(b.String(), "\n"+name+" ") {
		name += `{addr="http://peer1/api/v2/alerts"}`
	}
	for line := range strings.Lines(b.String()) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return "none"
}

func (s *station) wantMetric(name, want string) {
	s.t.Helper()
	if got := s.metric(name); got != want {
		s.t.Errorf("%s is %s, want %s", name, got, want)
	}
}

// firing returns an alert that fires from now for another hour.
func firing(name string) rules.Alert {
	return rules.Alert{
		Labels:   labels.FromStrings("alertname", name),
		StartsAt: time.Now(), EndsAt: time.Now().Add(time.Hour),
	}
}

// resolved returns an alert that ended now.
func resolved(name string) rules.Alert {
	a := firing(name)
	a.EndsAt, a.Resolved = time.Now(), true
	return a
}

// saying returns a with an annotation.
func saying(a rules.Alert, text string) rules.Alert {
	a.Annotations = labels.FromStrings("text", text)
	return a
}

// ended returns a context that is over.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// settle lets everything happen that happens within a second.
func settle() {
	time.Sleep(time.Second)
	synctest.Wait()
}

func wantNames(t *testing.T, p *peer, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, p.receivedNames()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}
