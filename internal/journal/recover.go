package journal

import (
	"errors"
	"fmt"
	"strings"

	"tocsin/rules"
)

// Recover returns what groups remembered at the end of the former process. The
// alerts that had ended, but were not accepted by everybody, are told again with the
// first news of their groups, or holdFor after Start. The error joins one for each thing that cannot be read, which is left out. It
// is called once, before Start.
func (j *Journal) Recover() ([]rules.GroupState, error) {
	var states []rules.GroupState
	var errs []error
	err := j.options.Store.Values(func(key string, value []byte) error {
		group, isState := groupOf(key)
		switch {
		case isState:
			states = append(states, rules.GroupState{Group: group, Data: value})
		case strings.HasPrefix(key, noticePrefix):
			if err := j.outbox.recover(key, value); err != nil {
				errs = append(errs, err)
			}
		}
		return nil
	})
	if err != nil {
		errs = append(errs, fmt.Errorf("read the journal: %w", err))
	}
	return states, errors.Join(errs...)
}

// recover holds an alert that had ended.
func (o *outbox) recover(key string, value []byte) error {
	n, err := decodeNotice(value)
	if err != nil {
		return err
	}
	o.stored[n.Alerts[0].Labels], o.held[n.Alerts[0].Labels] = key, n
	return nil
}
