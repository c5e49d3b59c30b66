package journal

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
	"tocsin/rules"
)

// Keys of the store. File names and labels cannot contain the separator, or it
// does no harm.
const (
	statePrefix  = "group\x00"
	noticePrefix = "notice\x00"
)

func stateKey(k config.Key) string { return statePrefix + k.File + "\x00" + k.Name }

// groupOf is the reverse of stateKey.
func groupOf(key string) (config.Key, bool) {
	rest, ok := strings.CutPrefix(key, statePrefix)
	if !ok {
		return config.Key{}, false
	}
	file, name, ok := strings.Cut(rest, "\x00")
	return config.Key{File: file, Name: name}, ok
}

func noticeKey(l labels.Labels) string { return noticePrefix + string(l.Bytes(nil)) }

// notice is the stored form of an alert that has ended. Such alerts are few, so
// it may be JSON.
type notice struct {
	File, Group  string
	Headers      []config.Pair `json:",omitempty"`
	Labels       [][]byte      // names and values, which may be any bytes
	Annotations  [][]byte
	StartsAt     time.Time
	EndsAt       time.Time
	GeneratorURL string
}

func appendNotice(dst []byte, n *rules.Notification, a *rules.Alert) []byte {
	data, err := json.Marshal(notice{
		File: n.Group.File, Group: n.Group.Name, Headers: n.Headers,
		Labels: flat(a.Labels), Annotations: flat(a.Annotations),
		StartsAt: a.StartsAt, EndsAt: a.EndsAt, GeneratorURL: a.GeneratorURL.String(),
	})
	if err != nil {
		panic(fmt.Sprintf("journal: internal error: %v", err)) // strings and times only
	}
	return append(dst, data...)
}

func decodeNotice(data []byte) (rules.Notification, error) {
	var n notice
	if err := json.Unmarshal(data, &n); err != nil {
		return rules.Notification{}, fmt.Errorf("malformed notice: %w", err)
	}
	if len(n.Labels)%2 != 0 || len(n.Annotations)%2 != 0 {
		return rules.Notification{}, fmt.Errorf("malformed notice: label without value")
	}
	return rules.Notification{
		Group: config.Key{File: n.File, Name: n.Group}, Headers: n.Headers,
		Alerts: []rules.Alert{{
			Labels: labelsOf(n.Labels), Annotations: labelsOf(n.Annotations),
			StartsAt: n.StartsAt, EndsAt: n.EndsAt, GeneratorURL: rules.Link{Base: n.GeneratorURL}, Resolved: true,
		}},
	}, nil
}

func flat(ls labels.Labels) [][]byte {
	all := make([][]byte, 0, 2*ls.Len())
	ls.Range(func(l labels.Label) { all = append(all, []byte(l.Name), []byte(l.Value)) })
	return all
}

// labelsOf is the reverse of flat.
func labelsOf(flat [][]byte) labels.Labels {
	b := labels.NewScratchBuilder(len(flat) / 2)
	for i := 0; i < len(flat); i += 2 {
		b.Add(string(flat[i]), string(flat[i+1]))
	}
	b.Sort()
	return b.Labels()
}
