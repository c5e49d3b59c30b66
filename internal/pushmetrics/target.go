package pushmetrics

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/klauspost/compress/gzip"

	"tocsin/internal/httpx"
	"tocsin/rules"
)

// maxAnswer is how much of an answer is read, and maxReason how much of it shown,
// in bytes.
const (
	maxAnswer = 64 << 10
	maxReason = 256
)

// target is one URL. It is used by one goroutine at a time.
type target struct {
	url    *url.URL
	shown  string // without secrets
	plain  bool   // not compressed
	client *http.Client
	write  func(io.Writer)

	body   bytes.Buffer
	gz     *gzip.Writer
	labels *labeler // nil without labels

	failing bool
	counts  counts
	log     *slog.Logger
}

// counts are vmalert's metrics of pushes, which are those of its metrics library.
type counts struct {
	pushes, errors, bytes *metrics.Counter
	size, duration        *metrics.Histogram
}

func newTarget(u *url.URL, o *Options) *target {
	t := &target{
		url: u, shown: httpx.RedactURL(u.String()), plain: o.DisableCompression, write: o.Write,
		client: &http.Client{
			Transport: o.Transport,
			// A POST that is redirected would become a GET without a body.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	t.log = o.Log.With("url", t.shown)
	if len(o.Labels) > 0 {
		t.labels = newLabeler(o.Labels)
	}
	label := `{url="` + rules.EscapeLabelValue(t.shown) + `"}`
	o.Metrics.GetOrCreateFloatCounter("metrics_push_interval_seconds" + label).Set(o.Interval.Seconds())
	t.counts = counts{
		pushes:   o.Metrics.GetOrCreateCounter("metrics_push_total" + label),
		errors:   o.Metrics.GetOrCreateCounter("metrics_push_errors_total" + label),
		bytes:    o.Metrics.GetOrCreateCounter("metrics_push_bytes_pushed_total" + label),
		size:     o.Metrics.GetOrCreateHistogram("metrics_push_block_size_bytes" + label),
		duration: o.Metrics.GetOrCreateHistogram("metrics_push_duration_seconds" + label),
	}
	return t
}

// push sends the metrics as they are now. A push that the end of the process cut
// short is no failure.
func (t *target) push(ctx context.Context) {
	t.render()
	t.counts.pushes.Inc()
	t.counts.bytes.Add(t.body.Len())
	t.counts.size.Update(float64(t.body.Len()))
	began := time.Now()
	err := t.send(ctx)
	t.counts.duration.UpdateDuration(began)
	switch {
	case err == nil:
		if t.failing {
			t.log.Info("metrics are pushed again")
		}
		t.failing = false
	case errors.Is(ctx.Err(), context.Canceled):
	default:
		t.counts.errors.Inc()
		if !t.failing {
			t.log.Warn("metrics cannot be pushed", "error", err)
		}
		t.failing = true
	}
}

// render fills the body.
func (t *target) render() {
	t.body.Reset()
	var out io.Writer = &t.body
	if !t.plain {
		if t.gz == nil {
			t.gz, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // errors are for levels out of range
		}
		t.gz.Reset(&t.body)
		out = t.gz
	}
	// Nothing of this can fail: the last of the writers is the buffer.
	if t.labels != nil {
		t.labels.to(out)
		t.write(t.labels)
		t.labels.end()
	} else {
		t.write(out)
	}
	if !t.plain {
		_ = t.gz.Close()
	}
}

func (t *target) send(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url.String(), bytes.NewReader(t.body.Bytes()))
	if err != nil {
		return httpx.RedactError(err)
	}
	// The transport adds its headers where there are none: they may say of which
	// type the body is, but not how it is encoded.
	req.Header.Set("User-Agent", "tocsin")
	if !t.plain {
		req.Header.Set("Content-Encoding", "gzip")
	}
	resp, err := t.client.Do(req)
	if err != nil {
		return httpx.RedactError(err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // the status says what counts
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("answered %d: %q", resp.StatusCode, answer[:min(len(answer), maxReason)])
	}
	return nil
}
