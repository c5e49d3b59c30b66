package rules

import "time"

// Instant is a moment in nanoseconds since the Unix epoch; zero is unset. Unlike
// time.Time it holds no pointer, so that memory made of Instants is a plain
// value.
type Instant int64

// InstantOf returns t as an Instant; the zero time is the zero Instant.
func InstantOf(t time.Time) Instant {
	if t.IsZero() {
		return 0
	}
	return Instant(t.UnixNano())
}

// Time returns i in UTC, or the zero time if i is unset.
func (i Instant) Time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(i)).UTC()
}

// Milli returns i in whole milliseconds since the Unix epoch.
func (i Instant) Milli() int64 { return int64(i) / int64(time.Millisecond) }

// Sub returns the time from o to i.
func (i Instant) Sub(o Instant) time.Duration { return time.Duration(i - o) }

// Add returns the moment d after i.
func (i Instant) Add(d time.Duration) Instant { return i + Instant(d) }

// seconds returns i in whole seconds since the Unix epoch.
func (i Instant) seconds() int64 { return int64(i) / int64(time.Second) }
