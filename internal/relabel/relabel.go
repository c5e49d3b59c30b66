// Package relabel changes label sets by rules in the dialect of VictoriaMetrics,
// which is that of Prometheus with more actions, conditions, and replacements that
// quote labels.
//
// Rules are compiled once and never change afterwards.
package relabel

import (
	"fmt"
	"sync"

	"github.com/prometheus/prometheus/model/labels"
)

// Config is one rule as written. Pointers tell what is not given from what is
// given as the empty text.
type Config struct {
	// If is series selectors of which one must match for the rule to be applied;
	// without any it always is.
	If     []string
	Action string // in any case; "" is replace

	SourceLabels []string
	Separator    *string // between the values of SourceLabels; nil is ";"
	TargetLabel  string
	Regex        *string // nil matches everything
	Modulus      uint64  // of hashmod
	Replacement  *string // nil is "$1"

	// Match and Labels are of the action graphite: what metric names look like, and
	// the labels made of what the stars stood for.
	Match  string
	Labels map[string]string
}

// rule is one compiled Config.
type rule struct {
	when   condition
	needed bool // what the condition does not match is dropped
	do     action
}

// action is what a rule does. It reports false to drop the labels as a whole.
type action interface{ apply(w *work) bool }

// Rules is a list of rules. Nil is the empty list, which changes nothing. It may be
// used from many goroutines.
type Rules struct {
	list    []rule
	buffers sync.Pool // of *work
}

// Compile returns the rules in order, nil if there are none. Its error gives the
// number, from 1, of the first rule that cannot be used.
func Compile(configs []Config) (*Rules, error) {
	if len(configs) == 0 {
		return nil, nil
	}
	r := &Rules{list: make([]rule, len(configs))}
	for i := range configs {
		var err error
		if r.list[i], err = configs[i].compile(); err != nil {
			return nil, fmt.Errorf("relabeling rule %d: %w", i+1, err)
		}
	}
	return r, nil
}

// Check returns what makes the rule one that cannot be used.
func (c *Config) Check() error {
	_, err := c.compile()
	return err
}

// Len returns how many rules there are.
func (r *Rules) Len() int {
	if r == nil {
		return 0
	}
	return len(r.list)
}

// Apply returns what the rules make of in, without labels that have no value, and
// whether anything is left: false means that what in stands for is dropped. It
// allocates nothing if the result is in.
func (r *Rules) Apply(in labels.Labels) (labels.Labels, bool) {
	if r == nil {
		return in, !in.IsEmpty()
	}
	w, _ := r.buffers.Get().(*work)
	if w == nil {
		w = new(work)
	}
	defer r.buffers.Put(w)
	w.begin(in)
	defer w.end()
	for i := range r.list {
		if !r.list[i].apply(w) || len(w.list) == 0 {
			return labels.EmptyLabels(), false
		}
	}
	out := w.result(in)
	return out, !out.IsEmpty()
}

func (r *rule) apply(w *work) bool {
	if !r.when.matches(w) {
		return !r.needed
	}
	return r.do.apply(w)
}
