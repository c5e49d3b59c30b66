package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "rewrite daemonflags.txt and the files in testdata")

// listsOfSwitches are the flags that are lists of true and false, which the
// documents do not tell from other lists.
var listsOfSwitches = []string{"httpListenAddr.useProxyProtocol", "mtls", "notifier.tlsInsecureSkipVerify", "remoteWrite.tlsInsecureSkipVerify", "tls"}

// documentedFlags returns the flags of the daemon and of vmalert as lines of the
// table.
func documentedFlags(t *testing.T) string {
	t.Helper()
	kinds := make(map[string]string)
	for path, row := range map[string]string{
		"../../docs/flags.md":                             "(?m)^\\| `-([^`]+)` \\| (\\w+) ",
		"../tocsin/testdata/vmalert-flags.tsv":            `(?m)^([\w.]+)\t(\w+)`,
		"../tocsin/testdata/vmalert-enterprise-flags.tsv": `(?m)^([\w.]+)\t(\w+)`,
	} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(row).FindAllStringSubmatch(string(text), -1)
		if len(found) < 15 {
			t.Fatalf("%s has %d flags only", path, len(found))
		}
		for _, m := range found {
			kinds[m[1]] = m[2]
		}
	}
	var table strings.Builder
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		table.WriteString(name)
		if kinds[name] == "bool" || slices.Contains(listsOfSwitches, name) {
			table.WriteString(" switch")
		}
		table.WriteString("\n")
	}
	return table.String()
}

func TestTableOfDaemonFlags(t *testing.T) {
	want := documentedFlags(t)
	if *update {
		if err := os.WriteFile("daemonflags.txt", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, daemonFlagTable); diff != "" {
		t.Errorf("daemonflags.txt is not that of the documents; run go generate ./cmd/tocsin-tool (-documents +table)\n%s", diff)
	}
}

func TestOwnFlagsDoNotHideThoseOfTheDaemon(t *testing.T) {
	own, used := planFlags(&planOptions{})
	line := newDaemonLine(own, used, os.LookupEnv)
	own.VisitAll(func(f *pflag.Flag) {
		if _, ok := line.known[f.Name]; ok {
			t.Errorf("-%s is a flag of the daemon, too", f.Name)
		}
	})
	used.VisitAll(func(f *pflag.Flag) {
		isSwitch, ok := line.known[f.Name]
		if !ok || isSwitch != (f.NoOptDefVal != "") {
			t.Errorf("-%s is known to the daemon: %v, as a switch: %v", f.Name, ok, isSwitch)
		}
	})
}

// located returns what the command line args makes of the daemon: its address,
// and what it is let in by.
func located(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var o planOptions
	own, used := planFlags(&o)
	d, err := o.parse(args, own, used)
	if err != nil {
		return "", err
	}
	if err := o.daemon.admit(t.Context(), d, nil); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s user=%s password=%s key=%s", d.URL, d.Username, string(d.Password), string(d.Key)), nil
}

func TestCommandLineOfADaemonSaysWhereItIs(t *testing.T) {
	t.Setenv("TOCSIN_TEST_PORT", "7001")
	t.Setenv("TOCSIN_TEST_ADDR", "h:%{TOCSIN_TEST_PORT}")
	t.Setenv("te_httpListenAddr", "env:7002")
	t.Setenv("te_httpAuth_username", "eve")
	for _, c := range []struct{ args, want string }{
		{"", "http://127.0.0.1:8880 user= password= key="},
		{"-httpListenAddr=:9000", "http://127.0.0.1:9000 user= password= key="},
		{"--httpListenAddr 0.0.0.0:9000", "http://127.0.0.1:9000 user= password= key="},
		{"-httpListenAddr=[::]:9000", "http://[::1]:9000 user= password= key="},
		{"-httpListenAddr=[fe80::1]:9000", "http://[fe80::1]:9000 user= password= key="},
		{"-httpListenAddr=alerts.example:http", "http://alerts.example:80 user= password= key="},
		{"-httpListenAddr=a:1,b:2 -httpListenAddr=c:3", "http://a:1 user= password= key="},
		{"-http.pathPrefix=/x/y/", "http://127.0.0.1:8880/x/y user= password= key="},
		{"-tls -httpListenAddr=a:1", "https://a:1 user= password= key="},
		{"-tls=true,false -httpListenAddr=a:1,b:2", "https://a:1 user= password= key="},
		{"-tls=false -httpListenAddr=a:1", "http://a:1 user= password= key="},

		{"-httpAuth.username=ann -httpAuth.password pw", "http://127.0.0.1:8880 user=ann password=pw key="},
		{"-httpAuth.password -pw -httpAuth.username=ann", "http://127.0.0.1:8880 user=ann password=-pw key="},
		{"-httpAuth.password=pw", "http://127.0.0.1:8880 user= password= key="},
		{"-httpAuth.username=ann -httpAuth.password=pw -reloadAuthKey=k", "http://127.0.0.1:8880 user= password= key=k"},

		// Flags that do not matter here take their values with them.
		{"-rule=x -rule y --rule z -httpListenAddr=a:1", "http://a:1 user= password= key="},
		{"-rule -httpListenAddr=no:1 -httpListenAddr=a:1", "http://a:1 user= password= key="},
		{"-datasource.basicAuth.password --url=http://no -httpListenAddr=a:1", "http://a:1 user= password= key="},
		{"-dryRun -httpListenAddr=a:1", "http://a:1 user= password= key="},
		{"-rule.validateTemplates -http.pathPrefix p -notifier.tlsInsecureSkipVerify -httpListenAddr a:1", "http://a:1/p user= password= key="},
		{"-httpListenAddr.useProxyProtocol -httpListenAddr=a:1 -version", "http://a:1 user= password= key="},
		{"-datasource.url=http://vm:8428 -datasource.bearerToken=%{NOT_SET} -license x", "http://127.0.0.1:8880 user= password= key="},

		{"/usr/bin/vmalert-prod -httpListenAddr=a:1", "http://a:1 user= password= key="},
		{"./tocsin -httpListenAddr=a:1", "http://a:1 user= password= key="},

		{"--url=http://u:1/x -httpListenAddr=a:1 -http.pathPrefix=y -reloadAuthKey=k", "http://u:1/x user= password= key=k"},
		{"-httpListenAddr=nonsense -url https://u", "https://u user= password= key="},

		{"-httpListenAddr=a:%{TOCSIN_TEST_PORT}", "http://a:7001 user= password= key="},
		{"-httpListenAddr %{TOCSIN_TEST_ADDR}", "http://h:7001 user= password= key="},
		{"-httpListenAddr=a:1 -envflag.enable -envflag.prefix=te_", "http://a:1 user=eve password= key="},
		{"-envflag.enable -envflag.prefix=te_", "http://env:7002 user=eve password= key="},
		{"-envflag.prefix=te_", "http://127.0.0.1:8880 user= password= key="},
	} {
		got, err := located(t, strings.Fields(c.args)...)
		if err != nil || got != c.want {
			t.Errorf("%s:\n got %s, %v\nwant %s", c.args, got, err, c.want)
		}
	}
}

func TestMistakesOnTheCommandLineAreNamed(t *testing.T) {
	t.Setenv("TOCSIN_TEST_LOOP", "%{TOCSIN_TEST_LOOP}")
	for args, want := range map[string]string{
		"-rule=x hunter2":                        "argument 2 is not a flag",
		"-dryRun true":                           "argument 2 is not a flag",
		"tocsin plan":                            "argument 2 is not a flag",
		"http://h:8880":                          "argument 1 is not a flag",
		"-":                                      "argument 1 is not a flag",
		"--":                                     "argument 1 is not a flag",
		"---rule=x":                              "argument 1 is not a flag",
		"-htpListenAddr=:1":                      "unknown flag -htpListenAddr",
		"-rule":                                  "-rule needs a value",
		"--url":                                  "-url needs a value",
		"--url=host:8880":                        "--url: URL must begin with http",
		"--url=ftp://hunter2@h":                  "--url: URL must begin with http",
		"--timeout=soon":                         "-timeout: ",
		"--timeout=0s":                           "--timeout must be more than 0",
		"--json=perhaps":                         "-json: ",
		"-tls=perhaps":                           "-tls: ",
		"-httpListenAddr=8880":                   "-httpListenAddr: not of the form host:port",
		"-httpListenAddr=:0":                     "-httpListenAddr: port 0 stands for",
		"-httpListenAddr=:99999":                 "-httpListenAddr: the port is not one of TCP",
		"-reloadAuthKey=%{TOCSIN_TEST_NOT_SET}":  "-reloadAuthKey: the environment variable TOCSIN_TEST_NOT_SET is not set",
		"-httpAuth.username %{TOCSIN_TEST_LOOP}": "-httpAuth.username: the environment variable TOCSIN_TEST_LOOP refers to itself",
		"-reloadAuthKey=file:///nonexistent/secret": "read the secret for -reloadAuthKey: open /nonexistent/secret",
	} {
		_, err := located(t, strings.Fields(args)...)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, want %q", args, err, want)
		}
	}
	t.Setenv("TOCSIN_TEST_tls", "perhaps")
	if _, err := located(t, "-envflag.enable", "-envflag.prefix=TOCSIN_TEST_"); err == nil || !strings.Contains(err.Error(), "TOCSIN_TEST_tls, for -tls: ") {
		t.Errorf("got %v", err)
	}
}

func FuzzDaemonLine(f *testing.F) {
	for _, args := range []string{"", "-rule x", "tocsin\n-tls\n-httpListenAddr\n:1", "-reloadAuthKey=%{A}\n--", "-=\n-a=b", "--url=http://h\n-timeout\n1s"} {
		f.Add(args)
	}
	lookup := func(name string) (string, bool) { return "%{B}" + name, name != "C" }
	f.Fuzz(func(t *testing.T, args string) {
		var o planOptions
		own, used := planFlags(&o)
		if err := newDaemonLine(own, used, lookup).parse(strings.Split(args, "\n")); err == nil {
			_, _ = o.daemon.locate(o.url) // must only not fail in another way
		}
	})
}
