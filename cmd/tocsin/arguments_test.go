package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// style is a set of a few flags to try ways of writing on.
type style struct {
	flagSet
	url    string
	dry    bool
	digits int
	rules  *list[string]
	skip   *list[bool]
}

func newStyle() *style {
	s := &style{flagSet: *newFlagSet()}
	s.string(&s.url, "datasource.url", "", "")
	s.bool(&s.dry, "dryRun", false, "")
	s.int(&s.digits, "datasource.roundDigits", 0, "")
	s.rules = s.strings("rule", "")
	s.skip = s.bools("notifier.tlsInsecureSkipVerify", "")
	return s
}

func TestArgumentStyles(t *testing.T) {
	type values struct {
		URL    string
		Dry    bool
		Digits int
		Rules  []string
		Skip   []bool
	}
	for _, c := range []struct {
		args string
		want values
	}{
		{"-datasource.url=http://x", values{URL: "http://x"}},
		{"--datasource.url=http://x", values{URL: "http://x"}},
		{"-datasource.url http://x", values{URL: "http://x"}},
		{"--datasource.url http://x", values{URL: "http://x"}},
		{"-datasource.url=a=b", values{URL: "a=b"}},
		{"-datasource.url=", values{}},
		{"-datasource.url=x -datasource.url=y", values{URL: "y"}},
		{"-dryRun", values{Dry: true}},
		{"--dryRun", values{Dry: true}},
		{"-dryRun=false", values{}},
		{"-dryRun=1 -dryRun=F", values{}},
		{"-dryRun -datasource.url x", values{Dry: true, URL: "x"}},
		// The value of a flag that needs one may look like a flag.
		{"-datasource.roundDigits -1", values{Digits: -1}},
		{"-datasource.roundDigits=0x10", values{Digits: 16}},
		{"-rule=a -rule b,c --rule=d", values{Rules: []string{"a", "b", "c", "d"}}},
		{`-rule="a,b"`, values{Rules: []string{"a,b"}}},
		{"-notifier.tlsInsecureSkipVerify", values{Skip: []bool{true}}},
		{"-notifier.tlsInsecureSkipVerify=false,true", values{Skip: []bool{false, true}}},
		{"--", values{}},
	} {
		s := newStyle()
		if err := s.parseArguments(strings.Fields(c.args), noEnv); err != nil {
			t.Errorf("%s: %v", c.args, err)
			continue
		}
		got := values{s.url, s.dry, s.digits, s.rules.items, s.skip.items}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.args, diff)
		}
	}
}

func TestWrongArguments(t *testing.T) {
	for args, want := range map[string]string{
		"-datasource.url":                  "-datasource.url needs a value",
		"rules.yml":                        "argument 1 is not a flag; a value with spaces must be in quotes",
		"-rule a b":                        "argument 3 is not a flag; a value with spaces must be in quotes",
		"-dryRun false":                    "argument 2 is not a flag; a switch takes its value after =, as in -dryRun=false",
		"-":                                "argument 1 is not a flag; a value with spaces must be in quotes",
		"---dryRun":                        "argument 1 is not a flag; a value with spaces must be in quotes",
		"-=x":                              "argument 1 is not a flag; a value with spaces must be in quotes",
		"-dryRun -- rules.yml":             "argument 3 is not a flag; a value with spaces must be in quotes",
		"-dryRun=perhaps":                  "-dryRun: neither true nor false",
		"-datasource.roundDigits=many":     "-datasource.roundDigits: not a whole number",
		"-datasource.roundDigits=9e9":      "-datasource.roundDigits: not a whole number",
		"-datasource.roundDigits=" + nines: "-datasource.roundDigits: the number is too large",
		"-datasource.ulr=http://x":         "unknown flag -datasource.ulr; did you mean -datasource.url?",
		"-datasource.ulr http://x":         "unknown flag -datasource.ulr; did you mean -datasource.url?",
		"-dryrun":                          "unknown flag -dryrun; did you mean -dryRun?",
		"-d":                               "unknown flag -d",
		"-zzzzzzzzzzzzzzzz":                "unknown flag -zzzzzzzzzzzzzzzz",
	} {
		err := newStyle().parseArguments(strings.Fields(args), noEnv)
		if err == nil {
			t.Errorf("%s: no error, want %q", args, want)
		} else if got := err.Error(); got != want {
			t.Errorf("%s:\n got %q\nwant %q", args, got, want)
		}
	}
}

const nines = "99999999999999999999"

func TestAllMistakesAreReportedAtOnce(t *testing.T) {
	got := parseProblems(t, noEnv,
		"-datasource.ulr", "http://vm", "-evaluationInterval=5", "-rule.evalDelay=-1m", "stray",
		"-remoteWrite.maxQueueSize=-1", "-notifier.url=", "-loggerLevel=LOUD")
	want := []string{
		"unknown flag -datasource.ulr; did you mean -datasource.url?",
		"-evaluationInterval: the number 5 has no unit; write for example 5s or 5m",
		"argument 5 is not a flag; a value with spaces must be in quotes",
		"-notifier.url: address 1: URL is empty",
		"-datasource.url is required, for example -datasource.url=http://127.0.0.1:8428",
		"-rule.evalDelay must not be negative, as -1m0s is",
		"-remoteWrite.maxQueueSize must not be negative, as -1 is",
		`-loggerLevel: "LOUD" is neither INFO, WARN, ERROR, FATAL nor PANIC`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

// Go's flag package and the shell both let a secret end up where it is not
// expected; what is printed goes to logs.
func TestErrorsDoNotRepeatSecrets(t *testing.T) {
	const secret = "hunter2"
	for _, args := range [][]string{
		valid("-datasource.basicAuth.pasword=" + secret),
		valid("-datasource.basicAuth.password", "first", secret),
		valid("-datasource.headers=" + secret),
		valid("-datasource.headers=X: a^^" + secret),
		valid("-datasource.oauth2.endpointParams=" + secret),
		valid("-notifier.url=http://u:" + secret + "@:9093:1"),
		valid("-remoteWrite.url=http://u:pa/" + secret + "@host"),
		valid("-remoteWrite.url=ftp://u:" + secret + "@host"),
		valid("-external.url=//u:" + secret + "@host"),
		valid("-httpAuth.password=" + secret),
		valid("-datasource.bearerToken="+secret, "-datasource.bearerTokenFile=x"),
	} {
		_, err := parse(args, noEnv)
		if err == nil {
			t.Errorf("%q is accepted", args)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%q: the error repeats the secret: %v", args, err)
		}
	}
}
