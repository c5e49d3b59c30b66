package rules

import "time"

// resolvedRetention is how long a resolved alert is told to Alertmanager again.
const resolvedRetention = 15 * time.Minute

// policy is what an alerting rule demands of its alerts.
type policy struct {
	holdFor    time.Duration // for
	keepFiring time.Duration // keep_firing_for
}

// step returns the alert after an evaluation for the time now, in which its
// label set was seen or not, and whether it is to be remembered. It is the only
// code that changes an alert's state. An alert that was never seen before is the
// zero Instance with its labels.
func (a Instance) step(now Instant, seen bool, p policy) (next Instance, keep bool) {
	if seen {
		return a.present(now, p), true
	}
	return a.absent(now, p)
}

func (a Instance) present(now Instant, p policy) Instance {
	a.KeepFiringSince = 0
	if a.State == Inactive {
		a.State, a.ActiveAt, a.Restored = Pending, now, false
		a.StartsAt, a.ResolvedAt, a.LastSent = 0, 0, 0
	}
	elapsed := now.Sub(a.ActiveAt)
	if elapsed < 0 && a.State == Pending {
		// The clock was set back: for counts from here, not from the future.
		a.ActiveAt, elapsed = now, 0
	}
	switch {
	case a.State == Pending && elapsed >= p.holdFor:
		a.State, a.StartsAt = Firing, now
	case a.State == Firing && elapsed >= 0 && elapsed < p.holdFor:
		// The rule was edited: for is longer now.
		a.State, a.StartsAt = Pending, 0
	}
	return a
}

func (a Instance) absent(now Instant, p policy) (next Instance, keep bool) {
	switch a.State {
	case Pending:
		return a, false
	case Firing:
		if a.held(now, p) {
			if a.KeepFiringSince == 0 {
				a.KeepFiringSince = now
			}
			return a, true
		}
		a.State, a.ResolvedAt, a.KeepFiringSince = Inactive, now, 0
		return a, true
	}
	return a, now.Sub(a.ResolvedAt) < resolvedRetention
}

// held reports whether keep_firing_for keeps a firing alert that was not seen.
func (a *Instance) held(now Instant, p policy) bool {
	if p.keepFiring <= 0 {
		return false
	}
	return a.KeepFiringSince == 0 || now.Sub(a.KeepFiringSince) < p.keepFiring
}

// due reports whether the alert is to be handed to the notifier at now, given
// its state before the evaluation: at every transition that Alertmanager has to
// learn of, and after that every resendDelay.
func (a *Instance) due(now Instant, before State, resendDelay time.Duration) bool {
	switch {
	case a.State == Pending:
		return false
	case a.State != before, a.LastSent == 0:
		return true
	}
	return now < a.LastSent || now.Sub(a.LastSent) >= resendDelay
}
