package notifiers

import (
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"tocsin/config"
	"tocsin/internal/httpx"
)

func (r *reader) static(m *config.Mapping) Block {
	s := &Static{Targets: m.Texts("targets"), Labels: m.Pairs("labels")}
	for _, target := range s.Targets {
		if strings.TrimSpace(target) == "" {
			m.Problem(m.LineOf("targets"), "a target is empty")
		}
	}
	return Block{Kind: StaticKind, Static: s, Alertmanager: r.alertmanager(m)}
}

func (r *reader) dns(m *config.Mapping) Block {
	d := &DNS{
		Names:   m.Texts("names"),
		Type:    RecordType(strings.ToUpper(m.Text("type"))),
		Port:    m.Int("port"),
		Refresh: refresh(m),
	}
	if len(d.Names) == 0 {
		m.Problem(m.Line(), "names must be given")
	}
	switch d.Type {
	case "":
		d.Type = SRV
	case SRV:
	case A, AAAA:
		if !m.Has("port") {
			m.Problem(m.Line(), "port must be given with type "+string(d.Type))
		}
	case MX:
		if !m.Has("port") {
			d.Port = mailPort
		}
	default:
		m.Problem(m.LineOf("type"), "type must be A, AAAA, SRV or MX")
	}
	if m.Has("port") && (d.Port < 1 || d.Port > 65535) {
		m.Problem(m.LineOf("port"), "port must be between 1 and 65535")
	}
	return Block{Kind: DNSKind, DNS: d, Alertmanager: r.alertmanager(m)}
}

// mailPort is where the hosts of MX records listen, as far as those say.
const mailPort = 25

// discoveryFile is what names of files with targets look like.
var discoveryFile = regexp.MustCompile(`^[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)$`)

func (r *reader) files(m *config.Mapping) Block {
	f := &File{Refresh: refresh(m)}
	for _, pattern := range m.Texts("files") {
		if !discoveryFile.MatchString(pattern) {
			m.Problem(m.LineOf("files"), "names of files must end in .json, .yml or .yaml, with at most one *, in the last element")
		}
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(r.folder, pattern)
		}
		f.Patterns = append(f.Patterns, pattern)
	}
	if len(f.Patterns) == 0 {
		m.Problem(m.Line(), "files must be given")
	}
	return Block{Kind: FileKind, File: f, Alertmanager: r.alertmanager(m)}
}

func (r *reader) http(m *config.Mapping) Block {
	h := &HTTP{
		URL:     m.Text("url"),
		Client:  (&client{m: m, folder: r.folder}).read(httpx.ClientOptions{}),
		Refresh: refresh(m),
	}
	if _, err := httpx.ParseURL(h.URL); err != nil {
		m.Problem(m.LineOf("url"), "url: "+err.Error())
	}
	return Block{Kind: HTTPKind, HTTP: h, Alertmanager: r.base}
}

// refresh returns 0 when the file does not say.
func refresh(m *config.Mapping) time.Duration {
	interval := m.Duration("refresh_interval")
	if interval.Set && interval.Duration <= 0 {
		m.Problem(m.LineOf("refresh_interval"), "refresh_interval must be greater than 0")
	}
	return interval.Duration
}
