// Package app builds the daemon from its options, runs it, reloads its rules in
// two phases and closes everything in reverse order.
package app

import (
	"time"

	"tocsin/config"
	"tocsin/internal/httpserver"
	"tocsin/internal/httpx"
	"tocsin/internal/pushmetrics"
)

// Options is everything the command line decides. The zero value of a field
// means what its flag's empty value means; defaults are the flags' business.
type Options struct {
	Rules       RuleOptions
	Datasource  DatasourceOptions
	RemoteRead  RemoteReadOptions
	RemoteWrite RemoteWriteOptions
	Storage     StorageOptions
	Notifier    NotifierOptions
	External    ExternalOptions
	HTTP        HTTPOptions
	Metrics     MetricsOptions
	Tenants     config.Tenants // of the cluster that is asked and written to
	Replay      ReplayOptions

	DryRun bool
	// Flags are the flags with their values as /flags and the flag metric show
	// them, secrets already hidden, sorted by name.
	Flags []Flag
	// Version is the program's version as /metrics and -version show it.
	Version string
}

// Flag is one command-line flag in force.
type Flag struct {
	Name, Value string
	IsSet       bool // given, by command line or environment
}

// RuleOptions says which rules run and how.
type RuleOptions struct {
	Files     []string // files, globs, http(s) URLs and prefixes of objects
	Templates []string // files and globs of -rule.templates
	Objects   ObjectStorageOptions

	DefaultType        config.Type
	EvaluationInterval time.Duration
	EvalDelay          time.Duration
	MaxStartDelay      time.Duration
	ResultsLimit       int
	UpdateEntriesLimit int
	StripFilePath      bool

	ValidateExpressions bool
	ValidateTemplates   bool

	ResendDelay         time.Duration
	MaxResolveDuration  time.Duration // 0 is no cap
	ErrorResendDuration time.Duration // how long firing alerts are sent while their query fails
	ConflictingLabels   string        // exported or override
	DisableAlertgroup   bool
	AllOrNothing        bool          // files with problems keep the others from being put in force
	SilentRemoval       bool          // alerts and series of removed rules are left to expire
	CatchUp             time.Duration // how old missed evaluations may be that are made up for; 0 is not at all
	CatchUpConcurrency  int           // queries for that under way at once
	ChainWait           time.Duration // how long a chained rule waits for remote write
	ChainDelay          time.Duration // until queries find what remote write has delivered
	ConfigCheckInterval time.Duration // 0 is never
	LoadTimeout         time.Duration // for one rule URL, object or listing of objects
	MaxFileSize         int64         // bytes of one rule file, URL or object
}

// DatasourceOptions says where expressions are evaluated.
type DatasourceOptions struct {
	URL              string
	Client           httpx.ClientOptions
	AppendTypePrefix bool
	DisableStepParam bool
	QueryStep        time.Duration
	RoundDigits      int
	ShowURL          bool
	QueryTimeout     time.Duration // most time one query may take; the group's interval if that is less
	MaxConcurrency   int           // most queries in flight; 0 is no cap
}

// RemoteReadOptions says where alert state is restored from.
type RemoteReadOptions struct {
	URL               string
	Client            httpx.ClientOptions
	DisablePathAppend bool
	Lookback          time.Duration
	ShowURL           bool
}

// RemoteWriteOptions says where results are written.
type RemoteWriteOptions struct {
	Targets           []RemoteWriteTarget // each gets everything; without one nothing is written
	DisablePathAppend bool
	ShowURL           bool

	Concurrency      int
	FlushInterval    time.Duration
	MaxBatchSize     int // series per request
	MaxQueueSize     int // series
	RetryMinInterval time.Duration
	RetryMaxTime     time.Duration
	SendTimeout      time.Duration
	DrainTimeout     time.Duration // for the queue at shutdown
}

// RemoteWriteTarget is one storage.
type RemoteWriteTarget struct {
	URL    string
	Client httpx.ClientOptions
}

// StorageOptions says what survives on disk.
type StorageOptions struct {
	Path         string // folder; "" is none
	Demanded     bool   // the folder was asked for: without it nothing is to run
	MaxDiskUsage int64  // bytes
}

// NotifierOptions says who is told of alerts.
type NotifierOptions struct {
	URLs                    []string
	Targets                 []NotifierTarget // one per URL
	Config                  string           // file, or http(s) URL of one, that says so instead; "" is none
	Discovery               DiscoveryOptions // of those in Config
	Blackhole               bool
	ShowURL                 bool
	MaxBatchSize            int           // alerts per request
	MaxAge                  time.Duration // how long ends of alerts are kept for a notifier that does not take them
	DrainTimeout            time.Duration // for the queues at shutdown
	SuppressDuplicateErrors bool
}

// NotifierTarget is the connection of one notifier URL.
type NotifierTarget struct {
	Client      httpx.ClientOptions
	SendTimeout time.Duration
}

// ExternalOptions says how tocsin names itself to the outside.
type ExternalOptions struct {
	URL         string        // without trailing slash; "" derives it from the listen address
	Labels      []config.Pair // sorted by name
	AlertSource string        // template of -external.alert.source
}

// HTTPOptions is tocsin's own server.
type HTTPOptions struct {
	Server             httpserver.Options
	PathPrefix         string
	ShutdownDelay      time.Duration
	DisableCompression bool
	DisableCORS        bool
	PrometheusErrors   bool // errorType of errors below /api/v1 is a word
	AuthUsername       string
	AuthPassword       httpx.Secret
	ReloadAuthKey      httpx.Secret
	MetricsAuthKey     httpx.Secret
	FlagsAuthKey       httpx.Secret
	PprofAuthKey       httpx.Secret
}

// MetricsOptions says how the metrics of the process are shown, and where they are
// pushed to.
type MetricsOptions struct {
	ExposeMetadata   bool
	PushURLs         []string // none pushes nothing
	PushInterval     time.Duration
	PushLabels       []pushmetrics.Label
	PushHeaders      []string // "Name: value"
	PushUncompressed bool
}
