package awsauth

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// machine is where credentials may be found: an environment, files and services.
type machine struct {
	t    *testing.T
	env  map[string]string
	home string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	home := t.TempDir()
	return &machine{t: t, home: home, env: map[string]string{"HOME": home, "AWS_EC2_METADATA_DISABLED": "true"}}
}

// file writes a file of the home folder and returns its path.
func (m *machine) file(name, text string) string {
	m.t.Helper()
	path := filepath.Join(m.home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
	return path
}

// serve starts a service and returns its address.
func (m *machine) serve(h http.HandlerFunc) string {
	m.t.Helper()
	s := httptest.NewServer(h)
	m.t.Cleanup(s.Close)
	return s.URL
}

func (m *machine) options() Options {
	m.t.Helper()
	transport := &http.Transport{}
	m.t.Cleanup(transport.CloseIdleConnections)
	return Options{Env: func(name string) string { return m.env[name] }, Transport: transport, Direct: transport}
}

// find returns what is found as "id secret token", or the error.
func find(t *testing.T, o Options) string {
	t.Helper()
	c, err := NewSource(o).Credentials(t.Context())
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", c.AccessKeyID, string(c.SecretKey), string(c.Token)))
}

const twoProfiles = `
# a comment
[default]
aws_access_key_id = DEFAULT ; the id
aws_secret_access_key=secret-of-default
[alerts]
aws_access_key_id=ALERTS
aws_secret_access_key=secret/of=alerts
aws_session_token = session
`

func TestCredentialsAreFoundInTheUsualOrder(t *testing.T) {
	m := newMachine(t)
	m.file(".aws/credentials", twoProfiles)
	o := m.options()
	if got := find(t, o); got != "DEFAULT secret-of-default" {
		t.Errorf("of the usual file: %s", got)
	}
	m.env["AWS_PROFILE"] = "alerts"
	if got := find(t, o); got != "ALERTS secret/of=alerts session" {
		t.Errorf("of the profile of the environment: %s", got)
	}
	m.env["AWS_ACCESS_KEY_ID"], m.env["AWS_SECRET_ACCESS_KEY"] = "ENV", "secret-of-env"
	if got := find(t, o); got != "ENV secret-of-env" {
		t.Errorf("of the environment: %s", got)
	}
	o.Profile = "default"
	if got := find(t, o); got != "DEFAULT secret-of-default" {
		t.Errorf("of the profile that was asked for: %s", got)
	}
}

func TestNamedFilesAreRead(t *testing.T) {
	m := newMachine(t)
	m.file(".aws/credentials", "[default]\naws_access_key_id=USUAL\naws_secret_access_key=s\n")
	o := m.options()
	o.CredentialsFile = m.file("named", twoProfiles)
	o.ConfigFile = m.file("config", "[default]\nregion = eu-west-1\n[profile alerts]\nregion = eu-west-2\nendpoint_url = http://minio\n[alerts]\nregion=lost\n[services x]\nregion=lost\n")
	if got := find(t, o); got != "DEFAULT secret-of-default" {
		t.Errorf("got %s", got)
	}
	for profile, want := range map[string]Settings{
		"": {Region: "eu-west-1"}, "alerts": {Region: "eu-west-2", Endpoint: "http://minio"},
	} {
		o.Profile = profile
		if got, err := o.Settings(); err != nil || got != want {
			t.Errorf("%q: got %+v, %v", profile, got, err)
		}
	}
}

func TestRegionOfTheEnvironmentWins(t *testing.T) {
	m := newMachine(t)
	o := m.options()
	if got, err := o.Settings(); err != nil || got.Region != "us-east-1" {
		t.Errorf("without any: %+v, %v", got, err)
	}
	m.file(".aws/config", "[default]\nregion=eu-west-1\ns3 =\n  region = not-mine\n")
	if got, err := o.Settings(); err != nil || got.Region != "eu-west-1" {
		t.Errorf("of the file: %+v, %v", got, err)
	}
	m.env["AWS_REGION"] = "eu-west-9"
	if got, err := o.Settings(); err != nil || got.Region != "eu-west-9" {
		t.Errorf("of the environment: %+v, %v", got, err)
	}
}

func TestWhatIsNamedMustBeThere(t *testing.T) {
	m := newMachine(t)
	o := m.options()
	o.CredentialsFile = filepath.Join(m.home, "nowhere")
	if got, want := find(t, o), "find credentials: read the credentials file: stat "+o.CredentialsFile+": no such file or directory"; got != want {
		t.Errorf(" got %s\nwant %s", got, want)
	}
	o.CredentialsFile = m.file("named", twoProfiles)
	o.Profile = "typo"
	if got, want := find(t, o), `find credentials: there is no profile "typo" in the shared files`; got != want {
		t.Errorf(" got %s\nwant %s", got, want)
	}
	o.CredentialsFile = m.home
	if got := find(t, o); !strings.Contains(got, "is not a regular file") {
		t.Errorf("got %s", got)
	}
}

// sts answers as the token service does and keeps the last form.
type sts struct {
	url  string
	form atomic.Pointer[map[string]string]
	auth atomic.Pointer[string]
}

func (m *machine) startSTS() *sts {
	m.t.Helper()
	s := &sts{}
	s.url = m.serve(func(w http.ResponseWriter, r *http.Request) {
		form := map[string]string{}
		_ = r.ParseForm()
		for name := range r.Form {
			form[name] = r.Form.Get(name)
		}
		auth := r.Header.Get("Authorization")
		s.form.Store(&form)
		s.auth.Store(&auth)
		if form["RoleArn"] == "arn:refused" {
			w.WriteHeader(403)
			_, _ = io.WriteString(w, "hidden-message")
			return
		}
		action := form["Action"]
		fmt.Fprintf(w, `<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%[1]sResult><Credentials>`+
			`<AccessKeyId>ROLE</AccessKeyId><SecretAccessKey>secret-of-role</SecretAccessKey><SessionToken>session</SessionToken>`+
			`<Expiration>%[2]s</Expiration></Credentials></%[1]sResult></%[1]sResponse>`, action, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	})
	m.env["AWS_ENDPOINT_URL_STS"] = s.url
	return s
}

func TestRoleIsTakenWithTheKeysOfAnotherProfile(t *testing.T) {
	m := newMachine(t)
	s := m.startSTS()
	m.file(".aws/credentials", twoProfiles)
	m.file(".aws/config", "[profile reader]\nrole_arn = arn:aws:iam::1:role/reader\nsource_profile = alerts\nexternal_id = x\nrole_session_name = me\nduration_seconds=900\n")
	o := m.options()
	o.Profile = "reader"
	if got := find(t, o); got != "ROLE secret-of-role session" {
		t.Errorf("got %s", got)
	}
	want := map[string]string{
		"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": "arn:aws:iam::1:role/reader",
		"RoleSessionName": "me", "ExternalId": "x", "DurationSeconds": "900",
	}
	if diff := cmp.Diff(want, *s.form.Load()); diff != "" {
		t.Error(diff)
	}
	if got := *s.auth.Load(); !strings.Contains(got, "Credential=ALERTS/") || !strings.Contains(got, "/us-east-1/sts/") {
		t.Errorf("signed %s", got)
	}
}

func TestRoleIsTakenByWebIdentity(t *testing.T) {
	m := newMachine(t)
	s := m.startSTS()
	token := m.file("token", "identity\n")
	for name, set := range map[string]func(){
		"of the environment": func() {
			m.env["AWS_WEB_IDENTITY_TOKEN_FILE"], m.env["AWS_ROLE_ARN"] = token, "arn:reader"
		},
		"of a profile": func() {
			delete(m.env, "AWS_WEB_IDENTITY_TOKEN_FILE")
			m.file(".aws/config", "[default]\nweb_identity_token_file="+token+"\nrole_arn=arn:reader\n")
		},
	} {
		set()
		if got := find(t, m.options()); got != "ROLE secret-of-role session" {
			t.Errorf("%s: got %s", name, got)
		}
		form := *s.form.Load()
		if form["Action"] != "AssumeRoleWithWebIdentity" || form["WebIdentityToken"] != "identity" || form["RoleSessionName"] != "tocsin" {
			t.Errorf("%s: asked %v", name, form)
		}
		if got := *s.auth.Load(); got != "" {
			t.Errorf("%s: signed %s", name, got)
		}
	}
}

func TestProfilesThatCannotDoAreTold(t *testing.T) {
	m := newMachine(t)
	m.startSTS()
	m.file(".aws/credentials", twoProfiles)
	m.file(".aws/config", `
[profile circle]
source_profile = circle2
[profile circle2]
source_profile = circle
[profile orphan]
source_profile = nobody
[profile browser]
sso_session = x
[profile device]
role_arn = arn:a
mfa_serial = arn:m
source_profile = default
[profile refused]
role_arn = arn:refused
source_profile = default
[profile odd]
credential_source = Moon
[profile empty-environment]
credential_source = Environment
[profile broken-program]
credential_process = echo hidden-output; exit 3
[profile chatty]
credential_process = echo hidden-output
[profile roleless]
web_identity_token_file = /nowhere
`)
	address := strings.TrimPrefix(m.env["AWS_ENDPOINT_URL_STS"], "http://")
	for profile, want := range map[string]string{
		"circle":            `profile "circle": too many profiles refer to one another`,
		"orphan":            `profile "orphan": there is no profile "nobody" in the shared files`,
		"browser":           `profile "browser" signs in with a browser, which a daemon cannot: use keys, a role, or credential_process = aws configure export-credentials --format process --profile browser`,
		"device":            `profile "device": its role needs a code of a device (mfa_serial), which nobody is there to enter`,
		"refused":           `take role arn:refused: ` + address + ` answered 403 Forbidden`,
		"odd":               `profile "odd": credential_source "Moon" is none of Environment, EcsContainer and Ec2InstanceMetadata`,
		"empty-environment": `profile "empty-environment": the environment has no credentials`,
		"broken-program":    `run credential_process: exit status 3`,
		"chatty":            `run credential_process: the answer cannot be read`,
		"roleless":          `there is no role to take: role_arn is missing`,
	} {
		o := m.options()
		o.Profile = profile
		if got := find(t, o); got != "find credentials: "+want {
			t.Errorf("%s:\n got %s\nwant %s", profile, got, want)
		}
	}
}

func TestProgramGivesCredentials(t *testing.T) {
	m := newMachine(t)
	m.file(".aws/config", `[default]
credential_process = echo '{"Version":1,"AccessKeyId":"PROGRAM","SecretAccessKey":"s","SessionToken":"t"}'
`)
	if got := find(t, m.options()); got != "PROGRAM s t" {
		t.Errorf("got %s", got)
	}
}

func TestHungProgramIsLeft(t *testing.T) {
	m := newMachine(t)
	m.file(".aws/config", "[default]\ncredential_process = exec sleep 600\n")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := NewSource(m.options()).Credentials(ctx); err == nil {
		t.Error("it has credentials")
	}
}

const machineAnswer = `{"AccessKeyId":"MACHINE","SecretAccessKey":"s","Token":"t","Expiration":"2100-01-01T00:00:00Z"}`

func TestContainerGivesCredentials(t *testing.T) {
	m := newMachine(t)
	m.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = m.serve(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "let me in" {
			w.WriteHeader(403)
			return
		}
		_, _ = io.WriteString(w, machineAnswer)
	}) + "/get"
	m.env["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = m.file("token", "let me in\n")
	if got := find(t, m.options()); got != "MACHINE s t" {
		t.Errorf("got %s", got)
	}
	m.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://elsewhere.example.com/get"
	if got := find(t, m.options()); got != "find credentials: the container's credentials are not to be had from elsewhere.example.com without https" {
		t.Errorf("got %s", got)
	}
}

func TestInstanceGivesTheCredentialsOfItsRole(t *testing.T) {
	m := newMachine(t)
	delete(m.env, "AWS_EC2_METADATA_DISABLED")
	m.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = m.serve(func(w http.ResponseWriter, r *http.Request) {
		const path = "/latest/meta-data/iam/security-credentials/"
		hop := r.Header.Get("X-Aws-Ec2-Metadata-Token") == "hop"
		switch {
		case r.Method == http.MethodPut && r.URL.Path == "/latest/api/token" && r.Header.Get("X-Aws-Ec2-Metadata-Token-Ttl-Seconds") != "":
			_, _ = io.WriteString(w, "hop")
		case hop && r.URL.Path == path:
			_, _ = io.WriteString(w, "the-role\n")
		case hop && r.URL.Path == path+"the-role":
			_, _ = io.WriteString(w, machineAnswer)
		default:
			w.WriteHeader(404)
		}
	})
	if got := find(t, m.options()); got != "MACHINE s t" {
		t.Errorf("got %s", got)
	}
}

// lasting starts a service that gives out credentials of a lifetime, numbered.
func (m *machine) lasting(lifetime time.Duration) (given *atomic.Int32, broken *atomic.Bool) {
	m.t.Helper()
	given, broken = new(atomic.Int32), new(atomic.Bool)
	m.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = m.serve(func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			w.WriteHeader(500)
			return
		}
		fmt.Fprintf(w, `{"AccessKeyId":"ID%d","SecretAccessKey":"s","Expiration":%q}`, given.Add(1), time.Now().Add(lifetime).UTC().Format(time.RFC3339))
	})
	return given, broken
}

func TestCredentialsAreKeptUntilTheyExpireSoon(t *testing.T) {
	for lifetime, want := range map[time.Duration]int32{time.Hour: 1, time.Minute: 2} {
		m := newMachine(t)
		given, broken := m.lasting(lifetime)
		s := NewSource(m.options())
		for range 2 {
			if _, err := s.Credentials(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := given.Load(); got != want {
			t.Errorf("of a lifetime of %s, credentials were asked for %d times, want %d", lifetime, got, want)
		}
		broken.Store(true)
		if _, err := s.Credentials(t.Context()); err != nil {
			t.Errorf("credentials that are still good are not used: %v", err)
		}
	}
}

func TestExpiredCredentialsAreNotUsed(t *testing.T) {
	m := newMachine(t)
	_, broken := m.lasting(-time.Minute)
	s := NewSource(m.options())
	if _, err := s.Credentials(t.Context()); err != nil {
		t.Fatal(err)
	}
	broken.Store(true)
	if c, err := s.Credentials(t.Context()); err == nil {
		t.Errorf("got %s", c.AccessKeyID)
	}
}

func TestRefusedCredentialsAreRenewedForAll(t *testing.T) {
	m := newMachine(t)
	given, _ := m.lasting(time.Hour)
	s := NewSource(m.options())
	first, err := s.Credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // both were refused the first ones
		if c, err := s.Renewed(t.Context(), first); err != nil || c.AccessKeyID != "ID2" {
			t.Errorf("got %s, %v", c.AccessKeyID, err)
		}
	}
	if got := given.Load(); got != 2 {
		t.Errorf("credentials were asked for %d times", got)
	}
}

func TestSameCredentialsAreNoRenewal(t *testing.T) {
	m := newMachine(t)
	m.file(".aws/credentials", twoProfiles)
	s := NewSource(m.options())
	c, err := s.Credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Renewed(t.Context(), c); err == nil || err.Error() != "there are no others than those of access key DEFAULT" {
		t.Errorf("got %v", err)
	}
}

func TestCredentialsDoNotPrintTheirSecrets(t *testing.T) {
	c := Credentials{AccessKeyID: "ID", SecretKey: "hidden-key", Token: "hidden-token"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(format, c); strings.Contains(got, "hidden") {
			t.Errorf("%s shows %s", format, got)
		}
	}
}

func FuzzProfiles(f *testing.F) {
	f.Add(twoProfiles, true)
	f.Add("[profile \"\"]\n[profile a b]\nx=1\n[a\n]\n", false)
	f.Fuzz(func(t *testing.T, text string, inConfig bool) {
		all := profiles{}
		all.add(text, inConfig)
		for name, p := range all {
			if name == "" {
				t.Error("a profile without a name")
			}
			for key := range p {
				if key != strings.ToLower(key) {
					t.Errorf("key %q", key)
				}
			}
		}
	})
}
