// Package witness notes what can be seen of the daemon from the outside: what its
// Alertmanagers were told, what is in storage, what it counts and how much memory
// it takes.
package witness

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"tocsin/internal/faults/world"
)

// Post is one state of an alert that reached an Alertmanager, or a page that one
// sent.
type Post struct {
	Alert    string
	Instance int
	At       time.Time // when it came
	StartsAt time.Time
	EndsAt   time.Time // zero if it fires until the contrary is said
}

// Fires reports whether the alert fires, as far as the receiver knows.
func (p *Post) Fires() bool { return p.EndsAt.IsZero() || p.EndsAt.After(p.At) }

// Notes are the posts received. They may be used from many goroutines.
type Notes struct {
	mu    sync.Mutex // guards posts
	posts []Post
}

// Posts returns what has come so far, in the order in which it came.
func (n *Notes) Posts() []Post {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.posts)
}

func (n *Notes) add(posts []Post) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.posts = append(n.posts, posts...)
}

// alert is an alert of Alertmanager's API, and of its webhooks.
type alert struct {
	Status   string            `json:"status"`
	Labels   map[string]string `json:"labels"`
	StartsAt time.Time         `json:"startsAt"`
	EndsAt   time.Time         `json:"endsAt"`
}

func (a *alert) post(at time.Time) (Post, error) {
	instance, err := strconv.Atoi(a.Labels[world.InstanceLabel])
	return Post{a.Labels["alertname"], instance, at, a.StartsAt, a.EndsAt}, err
}

// Alertmanager is a handler that takes alerts as an Alertmanager does and notes
// all of them.
func (n *Notes) Alertmanager(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/api/v2/alerts" || r.Method != http.MethodPost {
		http.NotFound(w, r)
		return
	}
	var alerts []alert
	if err := json.NewDecoder(r.Body).Decode(&alerts); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	n.take(w, alerts)
}

// Webhook is a handler that takes what an Alertmanager pages.
func (n *Notes) Webhook(w http.ResponseWriter, r *http.Request) {
	var message struct {
		Alerts []alert `json:"alerts"`
	}
	if err := json.NewDecoder(r.Body).Decode(&message); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for i := range message.Alerts {
		if a := &message.Alerts[i]; a.Status == "firing" {
			a.EndsAt = time.Time{}
		}
	}
	n.take(w, message.Alerts)
}

func (n *Notes) take(w http.ResponseWriter, alerts []alert) {
	now := time.Now()
	posts := make([]Post, len(alerts))
	for i := range alerts {
		var err error
		if posts[i], err = alerts[i].post(now); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	n.add(posts)
}
