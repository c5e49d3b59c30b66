package demo

import (
	"path/filepath"
	"runtime"
	"time"

	"tocsin/config"
	"tocsin/internal/app"
	"tocsin/internal/httpserver"
	"tocsin/internal/httpx"
)

// daemonOptions returns the options of a daemon that lives in w. Where the demo
// needs nothing special they are the defaults of the command line; evaluations,
// flushes and reloads are quicker, so that there is something to see.
func daemonOptions(o Options, w *world, dir string) app.Options {
	return app.Options{
		Rules:       ruleOptions(dir),
		Datasource:  datasourceOptions(w.storageURL),
		RemoteRead:  remoteReadOptions(w.storageURL),
		RemoteWrite: remoteWriteOptions(w.storageURL),
		Notifier: app.NotifierOptions{
			URLs: []string{w.receiverURL},
			Targets: []app.NotifierTarget{{
				Client: client("vmalert_notifier"), SendTimeout: 10 * time.Second,
			}},
			ShowURL:      true,
			MaxBatchSize: 1000,
			DrainTimeout: 5 * time.Second,
		},
		External: app.ExternalOptions{URL: "http://" + o.ListenAddr},
		HTTP: app.HTTPOptions{Server: httpserver.Options{
			Listeners:           []httpserver.Listener{{Addr: o.ListenAddr, Flag: "address of the demo"}},
			MaxGracefulShutdown: 2 * time.Second,
		}},
		Version: o.Version,
	}
}

func ruleOptions(dir string) app.RuleOptions {
	return app.RuleOptions{
		Files:               []string{filepath.Join(rulesDir(dir), "*.yml")},
		DefaultType:         config.Prometheus,
		EvaluationInterval:  2 * time.Second,
		EvalDelay:           time.Second,
		MaxStartDelay:       2 * time.Second,
		UpdateEntriesLimit:  20,
		ValidateExpressions: true,
		ValidateTemplates:   true,
		ErrorResendDuration: time.Hour,
		ConflictingLabels:   "exported",
		ChainWait:           10 * time.Second,
		ConfigCheckInterval: 2 * time.Second,
		LoadTimeout:         10 * time.Second,
		MaxFileSize:         32 << 20,
	}
}

func datasourceOptions(url string) app.DatasourceOptions {
	return app.DatasourceOptions{
		URL: url, ShowURL: true,
		Client:         client("vmalert_datasource"),
		QueryStep:      5 * time.Minute,
		QueryTimeout:   time.Minute,
		MaxConcurrency: 16,
	}
}

func remoteReadOptions(url string) app.RemoteReadOptions {
	return app.RemoteReadOptions{
		URL: url, ShowURL: true,
		Client:   client("vmalert_remoteread"),
		Lookback: time.Hour,
	}
}

func remoteWriteOptions(url string) app.RemoteWriteOptions {
	return app.RemoteWriteOptions{
		Targets:          []app.RemoteWriteTarget{{URL: url, Client: client("vmalert_remotewrite")}},
		ShowURL:          true,
		Concurrency:      2 * runtime.GOMAXPROCS(0),
		FlushInterval:    500 * time.Millisecond,
		MaxBatchSize:     10_000,
		MaxQueueSize:     100_000,
		RetryMinInterval: time.Second,
		RetryMaxTime:     30 * time.Second,
		SendTimeout:      30 * time.Second,
	}
}

func client(metrics string) httpx.ClientOptions {
	return httpx.ClientOptions{
		MetricsPrefix: metrics, IdleConnTimeout: 50 * time.Second, MaxIdleConnections: 100,
	}
}
