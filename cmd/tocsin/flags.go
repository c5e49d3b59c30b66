package main

import (
	"time"

	"tocsin/internal/app"
)

//go:generate go test . -run TestFlagsDocumentation -update

// flags are all flags of tocsin. Those that are plain values go straight into
// options; the others are kept as written until options are complete.
type flags struct {
	*flagSet
	options app.Options
	logging logOptions

	defaultType    string
	externalLabels *list[string]
	ruleFiles      *list[string]
	templates      *list[string]
	secretFlags    *list[string]

	datasource, remoteRead *clientFlags
	remoteWrite            *remoteWriteFlags
	notifier               *notifierFlags
	http                   *httpFlags
	push                   *pushFlags
	tenants                *tenantFlags
	replay                 *replayFlags

	envEnabled  bool
	envPrefix   string
	showVersion bool
	help        helpRequest
}

// defineFlags defines every flag with its default. It touches nothing outside
// of what it returns.
func defineFlags() *flags {
	f := &flags{flagSet: newFlagSet()}
	f.addRuleFlags()
	f.addObjectStorageFlags()
	f.addDatasourceFlags()
	f.remoteWrite = addRemoteWriteFlags(f.flagSet, &f.options.RemoteWrite)
	f.addRemoteReadFlags()
	f.addStorageFlags()
	f.notifier = addNotifierFlags(f.flagSet, &f.options.Notifier)
	f.addTenantFlags()
	f.replay = addReplayFlags(f.flagSet, &f.options.Replay)
	f.addExternalFlags()
	f.http = addHTTPFlags(f.flagSet, &f.options.HTTP)
	f.push = addMetricsFlags(f.flagSet, &f.options.Metrics)
	f.addLoggingFlags()
	f.addGeneralFlags()
	f.addLicenceFlags()
	f.addUnusedFlags()
	return f
}

func (f *flags) addRuleFlags() {
	f.topic = topicRules
	o := &f.options.Rules
	f.ruleFiles = f.strings("rule", "Rule file, pattern such as dir/**/*.yaml, http(s) URL, or prefix of objects such as s3://bucket/dir/ or gs://bucket/dir/")
	f.templates = f.strings("rule.templates", "File, or pattern of files, with templates for the annotations of all rules")
	f.bool(&f.options.DryRun, "dryRun", false, "Check the rule files, print the verdict and exit with 0 or 1")
	f.duration(&o.EvaluationInterval, "evaluationInterval", time.Minute, "How often to evaluate groups that set no interval")
	f.duration(&o.ConfigCheckInterval, "configCheckInterval", 0, "How often to look for changed rule files; 0 is only on SIGHUP and /-/reload")
	f.string(&f.defaultType, "rule.defaultRuleType", "prometheus", "Type of groups that set none: prometheus, graphite or vlogs")
	f.duration(&o.EvalDelay, "rule.evalDelay", 30*time.Second, "How far the query time lies behind the clock, for groups that set no eval_delay or eval_offset")
	f.duration(&o.MaxStartDelay, "group.maxStartDelay", 5*time.Minute, "Groups start spread over their interval, but no later than this; 0 starts them at once")
	f.int(&o.ResultsLimit, "rule.resultsLimit", 0, "Most results or alerts of one rule, for groups that set no limit; 0 is no limit")
	f.int(&o.UpdateEntriesLimit, "rule.updateEntriesLimit", 20, "Evaluations of a rule kept for its page, for rules that set no update_entries_limit")
	f.bool(&o.StripFilePath, "rule.stripFilePath", false, "Show the names of rule files without their directories")
	f.bool(&o.ValidateExpressions, "rule.validateExpressions", true, "Refuse rules with expressions that cannot be parsed")
	f.bool(&o.ValidateTemplates, "rule.validateTemplates", true, "Refuse rules with templates that cannot be parsed")
	f.duration(&o.ResendDelay, "rule.resendDelay", 0, "Least time before an alert that has not changed is sent again; 0 sends it at every evaluation")
	f.duration(&o.MaxResolveDuration, "rule.maxResolveDuration", 0, "Cap of the time after which Alertmanager resolves an alert nobody repeats; 0 is four intervals without a cap")
	f.bool(&o.DisableAlertgroup, "disableAlertgroupLabel", false, "Do not add the label alertgroup to alerts and their series")

	f.duration(&o.ErrorResendDuration, "rule.resendOnErrorDuration", time.Hour, "How long firing alerts go on being sent while their query fails; 0 is not at all")
	f.string(&o.ConflictingLabels, "rule.conflictingLabels", "exported", "When a rule sets a label of the result: exported keeps the old value as exported_<name>, override drops it")
	f.bool(&o.AllOrNothing, "rule.allOrNothing", false, "Whether a problem in one rule file keeps the others from being loaded as well; otherwise the file keeps its last good version and the rest is put in force")
	f.bool(&o.SilentRemoval, "rule.silentRemoval", false, "Whether alerts and series of rules that are removed by a reload are left to expire, instead of being resolved and ended")
	f.duration(&o.CatchUp, "rule.catchUp", time.Hour, "Evaluations that were missed, by a stop or because the datasource did not answer, are made up for by range queries if they are no older than this; 0 leaves gaps")
	f.int(&o.CatchUpConcurrency, "rule.catchUpConcurrency", 4, "How many range queries of -rule.catchUp may be under way at once")
	f.duration(&o.ChainWait, "rule.chainWait", 10*time.Second, "How long a rule that reads a series of an earlier rule waits for its write to be accepted")
	f.duration(&o.ChainDelay, "rule.chainDelay", 0, "How long storage takes, after it has accepted a series, until queries find it; rules that read a series of an earlier rule wait for that too, within -rule.chainWait")
	f.duration(&o.LoadTimeout, "rule.loadTimeout", 10*time.Second, "Most time to read one rule URL or object, or to list objects")
	f.size(&o.MaxFileSize, "rule.maxFileSize", 32<<20, "Largest rule file, URL or object that is read")
}

func (f *flags) addDatasourceFlags() {
	f.topic = topicDatasource
	o := &f.options.Datasource
	f.string(&o.URL, "datasource.url", "", "Where expressions are evaluated: VictoriaMetrics, Prometheus or another server with the Prometheus HTTP API. Required")
	f.bool(&o.ShowURL, "datasource.showURL", false, "Show -datasource.url whole in logs, pages and metrics; otherwise user, password and values of its query are hidden")
	f.bool(&o.AppendTypePrefix, "datasource.appendTypePrefix", false, "Append the type of the group to the URL, as in /prometheus or /graphite")
	f.bool(&o.DisableStepParam, "datasource.disableStepParam", false, "Send no step with queries")
	f.duration(&o.QueryStep, "datasource.queryStep", 5*time.Minute, "Step of queries, which is how far back a sample is looked for; 0 is the interval of the group")
	f.int(&o.RoundDigits, "datasource.roundDigits", 0, "Digits after the decimal point the datasource rounds values to; 0 does not round")
	f.duration(&o.QueryTimeout, "datasource.queryTimeout", time.Minute, "Most time one query may take; the interval of the group if that is less")
	f.int(&o.MaxConcurrency, "datasource.maxConcurrentQueries", 100, "Most queries in flight; 0 is no cap. Raise -datasource.maxIdleConnections with it")

	f.datasource = addClientFlags(f.flagSet, "datasource", "vmalert_datasource")
	f.connection = true
	defer func() { f.connection = false }()
	f.bool(&f.datasource.direct.DisableKeepAlive, "datasource.disableKeepAlive", false, "Use a new connection for every query")
	f.int(&f.datasource.direct.MaxIdleConnections, "datasource.maxIdleConnections", 100, "Most idle connections kept for later queries")
}

func (f *flags) addRemoteReadFlags() {
	f.topic = topicRemoteRead
	o := &f.options.RemoteRead
	f.string(&o.URL, "remoteRead.url", "", "Where the state of alerts is read from after a restart; usually the storage -remoteWrite.url writes to")
	f.bool(&o.ShowURL, "remoteRead.showURL", false, "Show -remoteRead.url whole in logs, pages and metrics; otherwise user, password and values of its query are hidden")
	f.bool(&o.DisablePathAppend, "remoteRead.disablePathAppend", false, "Use -remoteRead.url and -datasource.url as they are instead of appending /api/v1/query or /select/logsql/stats_query")
	f.duration(&o.Lookback, "remoteRead.lookback", time.Hour, "How far back the state of alerts is looked for")
	f.remoteRead = addClientFlags(f.flagSet, "remoteRead", "vmalert_remoteread")
}

func (f *flags) addStorageFlags() {
	f.topic = topicStorage
	o := &f.options.Storage
	f.string(&o.Path, "storage.path", "tocsin-data", "Folder that keeps the state of alerts, notifications that are due and results that are not written yet, so that no restart loses them; empty keeps them in memory only")
	f.size(&o.MaxDiskUsage, "storage.maxDiskUsage", 1<<30, "Most that -storage.path may hold; the oldest results that wait are dropped beyond that")
}

func (f *flags) addExternalFlags() {
	f.topic = topicExternal
	o := &f.options.External
	f.string(&o.URL, "external.url", "", "Address of tocsin for links in alerts; the host name and the port of -httpListenAddr if it is not set")
	f.externalLabels = f.strings("external.label", "Label name=value for all alerts and results")
	f.string(&o.AlertSource, "external.alert.source", "", "Template of the link of an alert, appended to -external.url; tocsin's own page of the alert if it is not set")
}

func (f *flags) addLoggingFlags() {
	f.topic = topicLogging
	o := &f.logging
	f.string(&o.level, "loggerLevel", "INFO", "Least level that is logged: INFO, WARN, ERROR, FATAL or PANIC")
	f.string(&o.format, "loggerFormat", "default", "Format of the log: default or json")
	f.string(&o.output, "loggerOutput", "stderr", "Where the log goes: stderr or stdout")
	f.string(&o.timezone, "loggerTimezone", "UTC", "Time zone of the log, such as Europe/Berlin or Local")
	f.bool(&o.noTimestamps, "loggerDisableTimestamps", false, "Log without timestamps")
	f.string(&o.jsonFields, "loggerJSONFields", "", "Other names for the fields of the json format: ts:time,level:severity,caller:source,msg:message")
	f.int(&o.maxArgLen, "loggerMaxArgLen", 5000, "Longer values are logged without their middle; 0 is no limit")
	f.int(&o.errorsPerSecond, "loggerErrorsPerSecondLimit", 0, "Most errors per second from one place in the code; 0 is no limit")
	f.int(&o.warnsPerSecond, "loggerWarnsPerSecondLimit", 0, "Most warnings per second from one place in the code; 0 is no limit")
}

func (f *flags) addGeneralFlags() {
	f.topic = topicGeneral
	f.bool(&f.envEnabled, "envflag.enable", false, "Read flags that are not given from the environment, with underscores for dots: datasource_url")
	f.string(&f.envPrefix, "envflag.prefix", "", "Prefix of the environment variables -envflag.enable reads")
	f.secretFlags = f.strings("secret.flags", "Further flags whose values are hidden in logs, pages and metrics")
	f.bool(&f.showVersion, "version", false, "Print the version and exit").command = true
	f.addSwitch(&f.help, "help", "Print the help, or with -help=<topic> or -help=<flag> that part of it, and exit").command = true
	f.addSwitch(&f.help, "h", "Same as -help").command = true
}

// addLicenceFlags defines what the commercial vmalert asks for, so that its
// command lines go on working.
func (f *flags) addLicenceFlags() {
	f.topic = topicLicence
	// Their values are kept apart, as each is shown under its own name.
	var ignored struct {
		eula, offline bool
		key, file     string
		interval      time.Duration
	}
	const help = "Accepted and ignored, as tocsin needs no licence"
	f.bool(&ignored.eula, "eula", false, help)
	f.string(&ignored.key, "license", "", help).secret = true
	f.bool(&ignored.offline, "license.forceOffline", false, help)
	f.string(&ignored.file, "licenseFile", "", help)
	f.duration(&ignored.interval, "licenseFile.reloadInterval", time.Hour, help)
}
