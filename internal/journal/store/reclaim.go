package store

// removeMost bounds how many segments one commit removes, and so its time.
const removeMost = 4

// reclaim removes the oldest segments if nothing in them is needed, or if their
// rows have to make way.
func (s *Store) reclaim() {
	for range removeMost {
		old := s.ledger.oldest()
		if old == nil || !s.unused(old) || old.live > 0 {
			break
		}
		if s.ledger.wanted(old) && !s.bounds.crowded(s.ledger.bytes) {
			break
		}
		// A segment must not outlast a younger one: it would be taken for damage
		// that the younger is missing.
		if s.unsynced && s.syncFolder() != nil {
			s.metrics.removeErrors.Inc()
			break
		}
		if n := s.ledger.release(old); n > 0 {
			s.health.dropping(n, s.ledger.bytes, s.values.live)
		}
		if err := s.disk.remove(segmentName(old.id)); !removed(err) {
			s.metrics.removeErrors.Inc()
			break
		}
		s.unsynced = true
		s.ledger.removeOldest()
	}
	if s.health.full && s.bounds.roomy(s.ledger.pinned()) {
		s.health.roomy()
	}
}

// syncFolder makes durable which segments there are.
func (s *Store) syncFolder() error {
	err := s.disk.sync()
	s.unsynced = s.unsynced && err != nil
	return err
}

// show sets the gauges.
func (s *Store) show() {
	s.metrics.size.Set(float64(s.ledger.bytes))
	s.metrics.live.Set(float64(s.values.live))
	s.metrics.segments.Set(float64(len(s.ledger.segments)))
}
