package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"tocsin/internal/app"
	"tocsin/internal/httpserver"
	"tocsin/internal/httpx"
)

// httpFlags are the flags of tocsin's own server. Those of an address pair with
// -httpListenAddr by index, and a single value is for every address.
type httpFlags struct {
	addrs         *list[string]
	proxyProtocol *list[bool]

	tls, clientAuth                                *list[bool]
	certFiles, keyFiles, minVersions, clientCAFile *list[string]
	cipherSuites                                   *list[string] // for every address
	noHostname                                     bool

	autocertHosts *list[string]
}

func addHTTPFlags(f *flagSet, o *app.HTTPOptions) *httpFlags {
	f.topic = topicHTTP
	h := &httpFlags{}
	h.addrs = f.strings("httpListenAddr", "Address to serve the API, pages and metrics at; the lists -httpListenAddr.useProxyProtocol, -tls*, -mtls* pair with several of them, where one value is for all")
	f.entry("httpListenAddr").defaultDoc = defaultListenAddr
	f.string(&o.PathPrefix, "http.pathPrefix", "", "Path under which everything is served behind a proxy, such as /alerts")
	f.duration(&o.ShutdownDelay, "http.shutdownDelay", 0, "How long /health says not healthy before the server stops, so that balancers can look elsewhere")
	f.bool(&o.PrometheusErrors, "http.prometheusErrors", false, "Answer errors below /api/v1 as Prometheus does, with a word as errorType instead of vmalert's number")
	h.addConnectionFlags(f, o)
	h.addHeaderFlags(f, o)
	h.addTLSFlags(f, &o.Server.Autocert)
	f.string(&o.AuthUsername, "httpAuth.username", "", "User for basic authentication at tocsin's own server")
	f.secret(&o.AuthPassword, "httpAuth.password", "Password for -httpAuth.username, or file:///path or an http(s) URL to read it from at start")
	const authKeyHelp = ", instead of basic authentication; or file:///path or an http(s) URL to read it from at start"
	f.secret(&o.ReloadAuthKey, "reloadAuthKey", "Key to pass as authKey= to /-/reload"+authKeyHelp)
	f.secret(&o.MetricsAuthKey, "metricsAuthKey", "Key to pass as authKey= to /metrics"+authKeyHelp)
	f.secret(&o.FlagsAuthKey, "flagsAuthKey", "Key to pass as authKey= to /flags"+authKeyHelp)
	f.secret(&o.PprofAuthKey, "pprofAuthKey", "Key to pass as authKey= to /debug/pprof"+authKeyHelp)
	return h
}

func (h *httpFlags) addConnectionFlags(f *flagSet, o *app.HTTPOptions) {
	s := &o.Server
	h.proxyProtocol = f.bools("httpListenAddr.useProxyProtocol", "Whether connections to the address begin with a header of the proxy protocol, version 1 or 2; others are refused then")
	f.bool(&s.IPv6, "enableTCP6", false, "Listen by IPv6, too, and use the addresses of IPv6 that names have; otherwise IPv4 only")
	f.duration(&s.ConnTimeout, "http.connTimeout", 2*time.Minute, "Close connections of clients after this time and up to a tenth more, so that balancers spread them anew; 0 is never")
	f.duration(&s.IdleConnTimeout, "http.idleConnTimeout", time.Minute, "Close connections of clients that were idle for this long")
	f.bool(&s.DisableKeepAlive, "http.disableKeepAlive", false, "Close the connection after every answer")
	f.duration(&s.MaxGracefulShutdown, "http.maxGracefulShutdownDuration", 7*time.Second, "How long requests may go on at shutdown")
	f.bool(&o.DisableCompression, "http.disableResponseCompression", false, "Do not compress answers")
	f.bool(&o.DisableCORS, "http.disableCORS", false, "Do not let pages of other sites ask, in answers to OPTIONS")
}

func (h *httpFlags) addHeaderFlags(f *flagSet, o *app.HTTPOptions) {
	s := &o.Server.Headers
	f.string(&s.HSTS, "http.header.hsts", "", "Value of the header Strict-Transport-Security, such as 'max-age=31536000; includeSubDomains'")
	f.string(&s.FrameOptions, "http.header.frameOptions", "", "Value of the header X-Frame-Options; DENY, for pages, if it is not set")
	f.string(&s.CSP, "http.header.csp", "", "Value of the header Content-Security-Policy; a strict one, for pages, if it is not set")
	f.bool(&h.noHostname, "http.header.disableServerHostname", false, "Leave out the header X-Server-Hostname")
}

func (h *httpFlags) addTLSFlags(f *flagSet, a *httpserver.Autocert) {
	f.connection = true
	defer func() { f.connection = false }()
	h.tls = f.bools("tls", "Whether to serve https at the address; needs -tlsCertFile and -tlsKeyFile, or -tlsAutocertHosts")
	h.certFiles = f.strings("tlsCertFile", "File with the certificate of the server and its chain, read again when it changes")
	h.keyFiles = f.strings("tlsKeyFile", "File with the key of the certificate, read again when it changes")
	h.minVersions = f.strings("tlsMinVersion", "Least version of TLS: TLS10, TLS11, TLS12 or TLS13; TLS12 if it is not set")
	h.cipherSuites = f.strings("tlsCipherSuites", "Cipher suites of TLS up to 1.2 by name or number, for every address; those Go holds to be secure if it is not set")
	h.clientAuth = f.bools("mtls", "Whether clients must show a certificate, for addresses with -tls")
	h.clientCAFile = f.strings("mtlsCAFile", "File with the authorities that -mtls trusts instead of the system's, read again when it changes")
	h.autocertHosts = f.strings("tlsAutocertHosts", "Host for which a certificate is obtained from Let's Encrypt instead of -tlsCertFile; it must be reachable at port 443")
	f.string(&a.Email, "tlsAutocertEmail", "", "Address at which Let's Encrypt may report problems with certificates")
	f.string(&a.CacheDir, "tlsAutocertCacheDir", "", "Directory that keeps certificates over restarts; without it they are obtained again, of which there may not be many a week")
	f.string(&a.DirectoryURL, "tlsAutocertDirectoryURL", "", "ACME directory of another authority than Let's Encrypt")
}

// options fills in the addresses, or returns everything that is wrong with them.
func (h *httpFlags) options(o *app.HTTPOptions) error {
	s := &o.Server
	if !h.noHostname {
		// Without a name there is no header.
		s.Headers.Hostname, _ = os.Hostname()
	}
	s.Autocert.Hosts = nonEmpty(h.autocertHosts.items)
	suites, err := httpserver.ParseCipherSuites(nonEmpty(h.cipherSuites.items))
	errs := []error{checkHeader("http.header.hsts", s.Headers.HSTS), checkHeader("http.header.frameOptions", s.Headers.FrameOptions), checkHeader("http.header.csp", s.Headers.CSP)}
	if err != nil {
		errs = append(errs, fmt.Errorf("-tlsCipherSuites: %w", err))
	}
	if len(h.addrs.items) == 0 {
		h.addrs.items = []string{defaultListenAddr}
	}
	for i, addr := range h.addrs.items {
		if addr == "" && len(h.addrs.items) > 1 {
			continue // it keeps its place in the lists
		}
		l := httpserver.Listener{Addr: addr, Flag: h.flag("httpListenAddr", i), ProxyProtocol: h.proxyProtocol.at(i)}
		l.TLS, err = h.tlsOptions(i, s.Autocert.Hosts)
		if l.TLS != nil {
			l.TLS.CipherSuites = suites
		}
		errs = append(errs, err, h.checkAddr(i, s.IPv6))
		s.Listeners = append(s.Listeners, l)
	}
	return errors.Join(errs...)
}

// tlsOptions returns the TLS options of the i-th address; nil if it is plain HTTP.
func (h *httpFlags) tlsOptions(i int, autocertHosts []string) (*httpserver.TLS, error) {
	if !h.tls.at(i) {
		if h.clientAuth.at(i) {
			// Without a word everybody would be let in.
			return nil, fmt.Errorf("%s needs %s", h.flag("mtls", i), h.flag("tls", i))
		}
		return nil, nil
	}
	t := &httpserver.TLS{
		CertFile: h.certFiles.at(i), KeyFile: h.keyFiles.at(i),
		ClientAuth: h.clientAuth.at(i), ClientCAFile: h.clientCAFile.at(i),
	}
	var errs []error
	if len(autocertHosts) == 0 && (t.CertFile == "" || t.KeyFile == "") {
		errs = append(errs, fmt.Errorf("%s needs -tlsCertFile and -tlsKeyFile, or -tlsAutocertHosts", h.flag("tls", i)))
	}
	var err error
	if t.MinVersion, err = httpx.ParseTLSVersion(h.minVersions.at(i)); err != nil {
		errs = append(errs, fmt.Errorf("%s: %w", h.flag("tlsMinVersion", i), err))
	}
	return t, errors.Join(errs...)
}

// flag is how messages call the flag of the i-th address.
func (h *httpFlags) flag(name string, i int) string {
	if len(h.addrs.items) <= 1 {
		return "-" + name
	}
	return fmt.Sprintf("-%s (address %d)", name, i+1)
}

// checkAddr refuses an address that cannot be listened at whatever the machine.
func (h *httpFlags) checkAddr(i int, ipv6 bool) error {
	addr := h.addrs.items[i]
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%s: %q is not of the form host:port or :port", h.flag("httpListenAddr", i), addr)
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is6() && !ip.Is4In6() && !ipv6 {
		return fmt.Errorf("%s: %q is an address of IPv6, which needs -enableTCP6", h.flag("httpListenAddr", i), addr)
	}
	return nil
}

// surplus warns of values that belong to no address, and of those that mean
// nothing for their address.
func (h *httpFlags) surplus() []string {
	var warnings []string
	warn := func(name string, values int) {
		if n := max(len(h.addrs.items), 1); values > n {
			warnings = append(warnings, fmt.Sprintf("-%s has %d values for %d -httpListenAddr; the last ones are not used", name, values, n))
		}
	}
	warn("httpListenAddr.useProxyProtocol", len(h.proxyProtocol.items))
	warn("tls", len(h.tls.items))
	warn("mtls", len(h.clientAuth.items))
	anyTLS := false
	for i := range h.addrs.items {
		anyTLS = anyTLS || h.tls.at(i)
	}
	for _, l := range []struct {
		name   string
		values []string
	}{
		{"tlsCertFile", h.certFiles.items},
		{"tlsKeyFile", h.keyFiles.items},
		{"tlsMinVersion", h.minVersions.items},
		{"mtlsCAFile", h.clientCAFile.items},
		{"tlsAutocertHosts", h.autocertHosts.items},
	} {
		if l.name != "tlsAutocertHosts" {
			warn(l.name, len(l.values))
		}
		if len(nonEmpty(l.values)) > 0 && !anyTLS {
			warnings = append(warnings, fmt.Sprintf("-%s has no effect without -tls", l.name))
		}
	}
	return warnings
}

func nonEmpty(items []string) []string {
	var kept []string
	for _, item := range items {
		if item = strings.TrimSpace(item); item != "" {
			kept = append(kept, item)
		}
	}
	return kept
}

// checkHeader refuses a value that cannot be sent.
func checkHeader(flag, value string) error {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return fmt.Errorf("-%s has a control character", flag)
		}
	}
	return nil
}
