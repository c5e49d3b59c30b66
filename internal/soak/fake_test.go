package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	_ "net/http/pprof" // the soak reads profiles
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"tocsin/config"
)

// fakePrefix begins the names by which this program is a daemon that loads rules,
// evaluates nothing and has the flaw that the rest of the name says.
const fakePrefix = "fake-"

// fake is a daemon that can be reloaded.
type fake struct {
	flaw  string
	rules string

	mu       sync.Mutex // guards the fields below
	groups   []config.Group
	retained [][]*int
	reloads  int
}

func runFake(flaw string) {
	f := &fake{flaw: flaw}
	flag.StringVar(&f.rules, "rule", "", "")
	addr := flag.String("httpListenAddr", "", "")
	notifier := flag.String("notifier.url", "", "")
	storage := flag.String("remoteWrite.url", "", "")
	for _, name := range []string{
		"datasource.url", "external.label",
		"evaluationInterval", "rule.updateEntriesLimit", "datasource.idleConnTimeout", "remoteWrite.idleConnTimeout",
	} {
		flag.String(name, "", "")
	}
	flag.Parse()
	for _, err := range []error{f.reload(), post(*notifier + "/api/v2/alerts"), post(*storage + "/api/v1/write")} {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		for range hangups {
			if err := f.reload(); err != nil {
				fmt.Fprintln(os.Stderr, "cannot parse configuration file:", err)
			} else {
				fmt.Fprintln(os.Stderr, "Rules reloaded successfully from", f.rules)
			}
		}
	}()
	http.HandleFunc("/api/v1/rules", f.serveRules)
	http.HandleFunc("/metrics", f.serveMetrics)
	http.HandleFunc("/-/reload", func(w http.ResponseWriter, _ *http.Request) {
		if err := f.reload(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	fmt.Fprintln(os.Stderr, http.ListenAndServe(*addr, nil))
	os.Exit(1)
}

// post posts nothing.
func post(url string) error {
	resp, err := http.Post(url, "text/plain", nil)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func (f *fake) reload() error {
	set, err := config.Load(context.Background(), config.Options{Patterns: []string{f.rules}})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reloads++
	switch {
	case f.flaw == "careless":
		err = nil
	case f.flaw == "idle" && f.reloads > 1:
		return err
	}
	if err != nil {
		return err
	}
	f.groups = set.Groups
	switch f.flaw {
	case "heap":
		kept := make([]*int, 2000)
		for i := range kept {
			kept[i] = new(i)
		}
		f.retained = append(f.retained, kept)
	case "goroutines":
		go func() { select {} }()
	}
	return nil
}

func (f *fake) serveRules(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	type rule struct {
		LastEvaluation time.Time `json:"lastEvaluation"`
	}
	type group struct {
		Name  string `json:"name"`
		Rules []rule `json:"rules"`
	}
	var reply struct {
		Data struct {
			Groups []group `json:"groups"`
		} `json:"data"`
	}
	for _, g := range f.groups {
		rules := make([]rule, len(g.Rules))
		for i := range rules {
			rules[i].LastEvaluation = time.Now()
		}
		reply.Data.Groups = append(reply.Data.Groups, group{g.Key.Name, rules})
	}
	_ = json.NewEncoder(w).Encode(reply)
}

func (f *fake) serveMetrics(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	series := 10
	if f.flaw == "series" {
		series += f.reloads
	}
	fmt.Fprint(w, strings.Repeat("a 1\n", series))
}
