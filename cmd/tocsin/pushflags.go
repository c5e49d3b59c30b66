package main

import (
	"errors"
	"fmt"
	"time"

	"tocsin/internal/app"
	"tocsin/internal/httpx"
	"tocsin/internal/pushmetrics"
)

// pushFlags are the flags about the metrics of the process.
type pushFlags struct {
	urls            urlList
	labels, headers *list[string]
}

func addMetricsFlags(f *flagSet, o *app.MetricsOptions) *pushFlags {
	f.topic = topicMetrics
	p := &pushFlags{}
	f.bool(&o.ExposeMetadata, "metrics.exposeMetadata", false, "Put HELP and TYPE lines into /metrics, for those who need them")
	f.add(&p.urls, "pushmetrics.url", "Where the metrics of /metrics are sent to, as with /api/v1/import/prometheus of VictoriaMetrics; every URL given gets them").secret = true
	f.duration(&o.PushInterval, "pushmetrics.interval", 10*time.Second, "How often the metrics are sent to every -pushmetrics.url")
	p.labels = f.strings("pushmetrics.extraLabel", `Label for all metrics that are sent and do not have it: 'instance="alerts-1"'`)
	p.headers = f.strings("pushmetrics.header", "Header for every request with metrics: 'Name: value'")
	f.entry("pushmetrics.header").secret = true
	f.bool(&o.PushUncompressed, "pushmetrics.disableCompression", false, "Do not compress the metrics that are sent")
	return p
}

// options completes o, or returns everything that is wrong.
func (p *pushFlags) options(o *app.MetricsOptions) error {
	errs := []error{positive("pushmetrics.interval", o.PushInterval)}
	for i, url := range p.urls.items {
		if url == "" {
			continue
		}
		if _, err := httpx.ParseURL(url); err != nil {
			errs = append(errs, fmt.Errorf("-pushmetrics.url: address %d: %w", i+1, err))
		}
		o.PushURLs = append(o.PushURLs, url)
	}
	for _, item := range nonEmpty(p.labels.items) {
		labels, err := pushmetrics.ParseLabels(item)
		if err != nil {
			errs = append(errs, fmt.Errorf("-pushmetrics.extraLabel: %w", err))
		}
		o.PushLabels = append(o.PushLabels, labels...)
	}
	o.PushHeaders = nonEmpty(p.headers.items)
	if _, err := httpx.ParseHeaders(o.PushHeaders); err != nil {
		errs = append(errs, fmt.Errorf("-pushmetrics.header: %w", err))
	}
	return errors.Join(errs...)
}
