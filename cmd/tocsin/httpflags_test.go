package main

import (
	"crypto/tls"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/app"
	"tocsin/internal/httpserver"
)

// addresses is where a daemon with the options listens.
func addresses(o app.Options) []string {
	var addrs []string
	for _, l := range o.HTTP.Server.Listeners {
		addrs = append(addrs, l.Addr)
	}
	return addrs
}

func TestServerDefaults(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	want := httpserver.Options{
		Listeners:   []httpserver.Listener{{Addr: ":8880", Flag: "-httpListenAddr"}},
		Headers:     httpserver.Headers{Hostname: host},
		ConnTimeout: 2 * time.Minute, IdleConnTimeout: time.Minute, MaxGracefulShutdown: 7 * time.Second,
	}
	if diff := cmp.Diff(want, mustParse(t).HTTP.Server); diff != "" {
		t.Errorf("server (-want +got):\n%s", diff)
	}
}

func TestServerFlagsPairWithAddresses(t *testing.T) {
	o := mustParse(t,
		"-httpListenAddr=:1,:2,:3", "-tls=true,false,true", "-mtls=false,false,true", "-mtlsCAFile=,,ca.pem",
		"-tlsCertFile=a.pem,,c.pem", "-tlsKeyFile=a.key,,c.key", "-tlsMinVersion=TLS12,,TLS13",
		"-tlsCipherSuites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,0xc030", "-httpListenAddr.useProxyProtocol=false,true",
	)
	suites := []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384}
	want := []httpserver.Listener{
		{Addr: ":1", Flag: "-httpListenAddr (address 1)", TLS: &httpserver.TLS{
			CertFile: "a.pem", KeyFile: "a.key", MinVersion: tls.VersionTLS12, CipherSuites: suites,
		}},
		{Addr: ":2", Flag: "-httpListenAddr (address 2)", ProxyProtocol: true},
		{Addr: ":3", Flag: "-httpListenAddr (address 3)", TLS: &httpserver.TLS{
			CertFile: "c.pem", KeyFile: "c.key", MinVersion: tls.VersionTLS13, CipherSuites: suites,
			ClientAuth: true, ClientCAFile: "ca.pem",
		}},
	}
	if diff := cmp.Diff(want, o.HTTP.Server.Listeners); diff != "" {
		t.Errorf("listeners (-want +got):\n%s", diff)
	}
}

func TestOneValueIsForEveryAddress(t *testing.T) {
	o := mustParse(t, "-httpListenAddr=:1", "-httpListenAddr=:2", "-tls", "-tlsCertFile=a.pem", "-tlsKeyFile=a.key",
		"-mtls", "-httpListenAddr.useProxyProtocol")
	for _, l := range o.HTTP.Server.Listeners {
		want := &httpserver.TLS{CertFile: "a.pem", KeyFile: "a.key", ClientAuth: true}
		if diff := cmp.Diff(want, l.TLS); diff != "" || !l.ProxyProtocol {
			t.Errorf("%s: proxy protocol %t, TLS (-want +got):\n%s", l.Addr, l.ProxyProtocol, diff)
		}
	}
}

func TestEmptyAddressKeepsItsPlaceInTheLists(t *testing.T) {
	o := mustParse(t, "-httpListenAddr=,:2", "-httpListenAddr.useProxyProtocol=false,true")
	want := []httpserver.Listener{{Addr: ":2", Flag: "-httpListenAddr (address 2)", ProxyProtocol: true}}
	if diff := cmp.Diff(want, o.HTTP.Server.Listeners); diff != "" {
		t.Errorf("listeners (-want +got):\n%s", diff)
	}
}

func TestOtherServerFlags(t *testing.T) {
	o := mustParse(t, "-enableTCP6", "-httpListenAddr=[::1]:1", "-http.connTimeout=0", "-http.idleConnTimeout=5s",
		"-http.disableKeepAlive", "-http.maxGracefulShutdownDuration=1s", "-http.disableResponseCompression", "-http.disableCORS",
		"-http.header.hsts=max-age=1", "-http.header.frameOptions=SAMEORIGIN", "-http.header.csp=default-src 'self'",
		"-http.header.disableServerHostname", "-tls", "-tlsAutocertHosts=a.example,b.example", "-tlsAutocertEmail=ops@a.example",
		"-tlsAutocertCacheDir=/cache", "-tlsAutocertDirectoryURL=https://acme.example/directory",
	).HTTP
	want := httpserver.Options{
		Listeners: []httpserver.Listener{{Addr: "[::1]:1", Flag: "-httpListenAddr", TLS: &httpserver.TLS{}}},
		IPv6:      true,
		Autocert: httpserver.Autocert{
			Hosts: []string{"a.example", "b.example"}, Email: "ops@a.example", CacheDir: "/cache",
			DirectoryURL: "https://acme.example/directory",
		},
		Headers:         httpserver.Headers{HSTS: "max-age=1", FrameOptions: "SAMEORIGIN", CSP: "default-src 'self'"},
		IdleConnTimeout: 5 * time.Second, DisableKeepAlive: true, MaxGracefulShutdown: time.Second,
	}
	if diff := cmp.Diff(want, o.Server); diff != "" {
		t.Errorf("server (-want +got):\n%s", diff)
	}
	if !o.DisableCompression || !o.DisableCORS {
		t.Errorf("compression and CORS: %+v", o)
	}
}

func TestServerFlagsThatMakeNoSense(t *testing.T) {
	const cert = "-tlsCertFile=a.pem -tlsKeyFile=a.key "
	for args, want := range map[string]string{
		"-httpListenAddr=8880":                  `-httpListenAddr: "8880" is not of the form host:port or :port`,
		"-httpListenAddr=":                      `-httpListenAddr: "" is not of the form`,
		"-httpListenAddr=:1,x":                  `-httpListenAddr (address 2): "x" is not`,
		"-httpListenAddr=[::1]:8880":            `-httpListenAddr: "[::1]:8880" is an address of IPv6, which needs -enableTCP6`,
		"-tls":                                  "-tls needs -tlsCertFile and -tlsKeyFile, or -tlsAutocertHosts",
		"-tls -tlsCertFile=a.pem":               "-tls needs -tlsCertFile and -tlsKeyFile",
		"-httpListenAddr=:1,:2 -tls=false,true": "-tls (address 2) needs",
		"-mtls":                                 "-mtls needs -tls",
		"-httpListenAddr=:1,:2 -tls=true,false -mtls " + cert: "-mtls (address 2) needs -tls (address 2)",
		"-tls -tlsMinVersion=TLS9 " + cert:                    `-tlsMinVersion: "TLS9" is neither TLS10, TLS11, TLS12 nor TLS13`,
		"-tls -tlsCipherSuites=nosuch " + cert:                `-tlsCipherSuites: there is no cipher suite "nosuch"`,
		"-http.header.csp=a\nb":                               "-http.header.csp has a control character",
		"-http.connTimeout=-1s":                               "-http.connTimeout must not be negative",
		"-tlsAutocertDirectoryURL=acme.example":               "-tlsAutocertDirectoryURL: URL must begin with http:// or https://",
	} {
		_, err := parse(valid(strings.Split(args, " ")...), noEnv)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", args, err, want)
		}
	}
}

func TestServerFlagsWithoutEffectAreTold(t *testing.T) {
	line, err := parse(valid("-httpListenAddr=:1", "-tlsCertFile=a.pem,b.pem", "-mtls=false,false", "-tlsAutocertHosts=a.example"), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"-mtls has 2 values for 1 -httpListenAddr; the last ones are not used",
		"-tlsCertFile has 2 values for 1 -httpListenAddr; the last ones are not used",
		"-tlsCertFile has no effect without -tls",
		"-tlsAutocertHosts has no effect without -tls",
	}
	if !slices.Equal(line.warnings, want) {
		t.Errorf("warnings:\n got %q\nwant %q", line.warnings, want)
	}
}
