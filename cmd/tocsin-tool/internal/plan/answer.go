// Package plan asks a running daemon what a reload would do now, and writes the
// answer for a person. The daemon decides; this package only asks and tells.
package plan

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Answer is what a reload would do, as the daemon tells it.
type Answer struct {
	Outcome  string   `json:"outcome"`
	Totals   *Totals  `json:"totals"`
	Problems []string `json:"problems"` // a line each
	Groups   []Group  `json:"groups"`   // that are not kept

	// Data is all of this as it came.
	Data json.RawMessage `json:"-"`
}

// Refused reports whether a reload would do nothing because of the problems.
func (a *Answer) Refused() bool { return a.Outcome == "refused" }

// Group is a group that is not kept as it is.
type Group struct {
	Key
	Action string   `json:"action"` // added, changed, moved or removed
	From   *Key     `json:"from"`   // nil unless it is moved
	Fields []string `json:"fields"`
	Rules  []Rule   `json:"rules"` // that are not kept as they are
}

// Rule is a rule that is not kept as it is.
type Rule struct {
	Name       string   `json:"name"`
	Type       string   `json:"type"`   // alerting or recording
	Action     string   `json:"action"` // added, changed, moved or removed
	From       *Key     `json:"from"`   // the group it comes from; nil if that is the same
	FormerName string   `json:"formerName"`
	Fields     []string `json:"fields"`
	Resolved   int      `json:"resolved"` // alerts
	Reset      int      `json:"reset"`    // alerts
}

// Key is the identity of a group.
type Key struct {
	Name string `json:"name"`
	File string `json:"file"`
}

// Totals counts what an Answer consists of.
type Totals struct {
	Groups Counts `json:"groups"`
	Rules  Counts `json:"rules"`
	Alerts struct {
		Resolved int `json:"resolved"`
		Reset    int `json:"reset"`
	} `json:"alerts"`
}

// Counts counts groups or rules by what becomes of them.
type Counts struct {
	Added   int `json:"added"`
	Changed int `json:"changed"`
	Moved   int `json:"moved"`
	Kept    int `json:"kept"`
	Removed int `json:"removed"`
}

func (c Counts) any() bool { return c.Added+c.Changed+c.Moved+c.Removed > 0 }

// errNoPlan is of answers that others than tocsin give.
var errNoPlan = errors.New("the answer is not a plan")

// decode reads the answer of the API.
func decode(body []byte) (*Answer, error) {
	var envelope struct {
		Status string          `json:"status"`
		Data   json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoPlan, err)
	}
	if envelope.Status != "success" || len(envelope.Data) == 0 {
		return nil, errNoPlan
	}
	a := Answer{Data: envelope.Data}
	if err := json.Unmarshal(envelope.Data, &a); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoPlan, err)
	}
	if a.Outcome == "" || a.Totals == nil || a.Groups == nil {
		return nil, errNoPlan
	}
	return &a, nil
}

// reason returns the text of an error of the API, or "".
func reason(body []byte) string {
	var e struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &e) != nil {
		return ""
	}
	return e.Error
}
