package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/pflag"

	"tocsin/cmd/tocsin-tool/internal/plan"
	"tocsin/internal/httpx"
)

const planHelp = `Usage: tocsin-tool plan [--url=http://host:8880[/prefix]] [flags]
       tocsin-tool plan <command line of the daemon> [flags]

Asks a running daemon what a reload would do now: what would be added (+),
changed (~), moved (>) and removed (-). Without --url, the address and the
credentials are those of the daemon's own flags, or its default address.

Exit codes: 0 nothing is wrong, 1 the files have problems or the daemon could not
be asked, 2 wrong command line.

Flags:
%s
Flags of the daemon that are used, as the daemon reads them (-name=value or
-name value; its other flags are ignored):
%s`

// planOptions is what the command line of plan says.
type planOptions struct {
	url     string
	json    bool
	timeout time.Duration
	tls     httpx.TLS
	daemon  daemonOptions
}

// planFlags defines the flags of plan, and those of the daemon that it uses.
func planFlags(o *planOptions) (own, used *pflag.FlagSet) {
	own = pflag.NewFlagSet("plan", pflag.ContinueOnError)
	own.SortFlags = false
	own.StringVar(&o.url, "url", "", "address of the daemon, with its path prefix; wins over what the daemon's flags say")
	own.BoolVar(&o.json, "json", false, "print the plan as JSON, as the daemon tells it")
	own.DurationVar(&o.timeout, "timeout", 30*time.Second, "most time the daemon may take to answer")
	own.StringVar(&o.tls.CAFile, "tlsCAFile", "", "file with the certificate authorities to trust instead of the system's")
	own.StringVar(&o.tls.ServerName, "tlsServerName", "", "server name to expect in the certificate instead of the address's host")
	own.BoolVar(&o.tls.InsecureSkipVerify, "tlsInsecureSkipVerify", false, "accept any server certificate")
	return own, o.daemon.flags()
}

func runPlan(args []string, stdout io.Writer) error {
	var o planOptions
	own, used := planFlags(&o)
	daemon, err := o.parse(args, own, used)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		fmt.Fprintf(stdout, planHelp, own.FlagUsages(), used.FlagUsages())
		return err
	case err != nil:
		return fmt.Errorf("plan: %w: %w", err, errUsage)
	}
	return o.run(daemon, stdout)
}

// parse reads the command line and returns the daemon to ask.
func (o *planOptions) parse(args []string, own, used *pflag.FlagSet) (*plan.Daemon, error) {
	if err := newDaemonLine(own, used, os.LookupEnv).parse(args); err != nil {
		return nil, err
	}
	if err := o.daemon.complete(used, os.LookupEnv); err != nil {
		return nil, err
	}
	if o.timeout <= 0 {
		return nil, errors.New("--timeout must be more than 0")
	}
	return o.daemon.locate(o.url)
}

// run asks and prints. Problems of the files are an error, too.
func (o *planOptions) run(d *plan.Daemon, stdout io.Writer) error {
	ctx, cancel := context.WithTimeout(context.Background(), o.timeout)
	defer cancel()
	answer, err := o.ask(ctx, d)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no plan within --timeout=%s: %w", o.timeout, err)
	}
	if err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	if o.json {
		_, err = fmt.Fprintf(stdout, "%s\n", answer.Data)
	} else {
		err = answer.Write(stdout)
	}
	if err != nil {
		return fmt.Errorf("plan: print it: %w", err)
	}
	if complaint := answer.Complaint(); complaint != "" {
		return errors.New(complaint)
	}
	return nil
}

func (o *planOptions) ask(ctx context.Context, d *plan.Daemon) (*plan.Answer, error) {
	client := httpx.ClientOptions{TLS: o.tls, DisableKeepAlive: true}
	transport, err := client.RoundTripper(nil)
	if err != nil {
		return nil, err
	}
	defer transport.Close()
	if err := o.daemon.admit(ctx, d, transport); err != nil {
		return nil, err
	}
	return d.Plan(ctx, transport)
}
