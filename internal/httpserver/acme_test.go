package httpserver

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/acme"
)

// issuer is an ACME authority as far as a client that means well needs one. It
// checks that hosts are where they are said to be, by tls-alpn-01, and does not
// check who asks.
type issuer struct {
	*authority
	server *httptest.Server
	target func() string // where every host is

	mu     sync.Mutex // guards the fields below
	hosts  []string   // of the orders
	valid  []bool     // whether the host of the order was found
	chains []string   // issued for the order; "" before
	nonces int
}

func newIssuerServer(t *testing.T, target func() string) *issuer {
	t.Helper()
	i := &issuer{authority: newAuthority(t, "acme"), target: target}
	mux := http.NewServeMux()
	mux.HandleFunc("/directory", i.directory)
	mux.HandleFunc("/nonce", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /account", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", i.server.URL+"/account/1")
		i.answer(w, http.StatusCreated, map[string]any{"status": "valid"})
	})
	mux.HandleFunc("POST /order", i.newOrder)
	mux.HandleFunc("POST /order/{n}", func(w http.ResponseWriter, r *http.Request) { i.showOrder(w, http.StatusOK, number(r)) })
	mux.HandleFunc("POST /authz/{n}", func(w http.ResponseWriter, r *http.Request) { i.showAuthz(w, number(r)) })
	mux.HandleFunc("POST /challenge/{n}", i.check)
	mux.HandleFunc("POST /final/{n}", i.finalize)
	mux.HandleFunc("POST /cert/{n}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/pem-certificate-chain")
		_, _ = io.WriteString(w, i.chain(number(r)))
	})
	i.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		i.nonces++
		w.Header().Set("Replay-Nonce", fmt.Sprintf("nonce-%d", i.nonces))
		i.mu.Unlock()
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(i.server.Close)
	return i
}

func number(r *http.Request) (n int) {
	_, _ = fmt.Sscan(r.PathValue("n"), &n) // 0 is an order, too
	return n
}

func (i *issuer) answer(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client went away
}

func (i *issuer) refuse(w http.ResponseWriter, err error) {
	i.answer(w, http.StatusForbidden, map[string]any{"type": "urn:ietf:params:acme:error:unauthorized", "detail": err.Error()})
}

func (i *issuer) directory(w http.ResponseWriter, _ *http.Request) {
	i.answer(w, http.StatusOK, map[string]any{
		"newNonce": i.server.URL + "/nonce", "newAccount": i.server.URL + "/account", "newOrder": i.server.URL + "/order",
	})
}

// payload reads what a signed request says.
func payload(r *http.Request, into any) error {
	var signed struct{ Payload string }
	if err := json.NewDecoder(r.Body).Decode(&signed); err != nil {
		return err
	}
	text, err := base64.RawURLEncoding.DecodeString(signed.Payload)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

func (i *issuer) newOrder(w http.ResponseWriter, r *http.Request) {
	var order struct{ Identifiers []struct{ Value string } }
	if err := payload(r, &order); err != nil || len(order.Identifiers) != 1 {
		i.refuse(w, errors.Join(err, errors.New("no order of one host")))
		return
	}
	i.mu.Lock()
	n := len(i.hosts)
	i.hosts, i.valid, i.chains = append(i.hosts, order.Identifiers[0].Value), append(i.valid, false), append(i.chains, "")
	i.mu.Unlock()
	w.Header().Set("Location", fmt.Sprintf("%s/order/%d", i.server.URL, n))
	i.showOrder(w, http.StatusCreated, n)
}

func (i *issuer) showOrder(w http.ResponseWriter, status, n int) {
	i.mu.Lock()
	state := "pending"
	switch {
	case i.chains[n] != "":
		state = "valid"
	case i.valid[n]:
		state = "ready"
	}
	i.mu.Unlock()
	w.Header().Set("Location", fmt.Sprintf("%s/order/%d", i.server.URL, n))
	i.answer(w, status, map[string]any{
		"status":         state,
		"authorizations": []string{fmt.Sprintf("%s/authz/%d", i.server.URL, n)},
		"finalize":       fmt.Sprintf("%s/final/%d", i.server.URL, n),
		"certificate":    fmt.Sprintf("%s/cert/%d", i.server.URL, n),
	})
}

func (i *issuer) challenge(n int, state string) map[string]any {
	return map[string]any{"type": "tls-alpn-01", "url": fmt.Sprintf("%s/challenge/%d", i.server.URL, n), "token": "token", "status": state}
}

func (i *issuer) showAuthz(w http.ResponseWriter, n int) {
	i.mu.Lock()
	host, state := i.hosts[n], "pending"
	if i.valid[n] {
		state = "valid"
	}
	i.mu.Unlock()
	i.answer(w, http.StatusOK, map[string]any{
		"status": state, "identifier": map[string]any{"type": "dns", "value": host},
		"challenges": []any{i.challenge(n, state)},
	})
}

// check looks whether the host answers with the certificate of the challenge.
func (i *issuer) check(w http.ResponseWriter, r *http.Request) {
	n := number(r)
	i.mu.Lock()
	host := i.hosts[n]
	i.mu.Unlock()
	c, err := tls.Dial("tcp", i.target(), &tls.Config{
		ServerName: host, NextProtos: []string{acme.ALPNProto}, InsecureSkipVerify: true,
	})
	if err != nil {
		i.refuse(w, err)
		return
	}
	defer c.Close()
	state := c.ConnectionState()
	if state.NegotiatedProtocol != acme.ALPNProto || state.PeerCertificates[0].DNSNames[0] != host {
		i.refuse(w, errors.New("not the certificate of the challenge"))
		return
	}
	i.mu.Lock()
	i.valid[n] = true
	i.mu.Unlock()
	i.answer(w, http.StatusOK, i.challenge(n, "valid"))
}

func (i *issuer) finalize(w http.ResponseWriter, r *http.Request) {
	n := number(r)
	var final struct{ CSR string }
	err := payload(r, &final)
	der, decodeErr := base64.RawURLEncoding.DecodeString(final.CSR)
	csr, parseErr := x509.ParseCertificateRequest(der)
	if err := errors.Join(err, decodeErr, parseErr); err != nil {
		i.refuse(w, err)
		return
	}
	i.mu.Lock()
	if i.valid[n] {
		leaf := i.sign(csr.PublicKey, &x509.Certificate{
			Subject: csr.Subject, DNSNames: []string{i.hosts[n]}, NotAfter: time.Now().Add(90 * 24 * time.Hour),
		})
		i.chains[n] = pemText("CERTIFICATE", leaf) + i.caPEM()
	}
	i.mu.Unlock()
	i.showOrder(w, http.StatusOK, n)
}

func (i *issuer) chain(n int) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.chains[n]
}

// orders returns for which hosts certificates were ordered.
func (i *issuer) orders() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return strings.Join(i.hosts, " ")
}
