package e2e

import (
	"errors"
	"testing"
	"time"
)

// TestStoragesKeepWhatIsWritten shows that the servers work as the stories need
// them, the daemon aside.
func TestStoragesKeepWhatIsWritten(t *testing.T) {
	eachStorage(t, func(t *testing.T, s *storage) {
		const hostile = "a,b=\"c\"\nd\\"
		if err := s.write(time.Now(), series(7, "hello", "x", hostile)); err != nil {
			t.Fatal(err)
		}
		eventually(t, storyTimeout, "the sample is found", func() error {
			p, err := s.one("hello")
			if err == nil && (p.v != 7 || p.labels["x"] != hostile) {
				t.Fatalf("found %v", p)
			}
			return err
		})
		if _, err := s.query("sum("); err == nil || errors.Is(err, errNone) {
			t.Errorf("a broken query gives %v", err)
		}
		if code := s.stop(t); code != 0 {
			t.Errorf("%s exits with %d", s.Name, code)
		}
		s.start(t)
		if p, err := s.one("hello"); err != nil || p.v != 7 {
			t.Errorf("after a restart there is %v, %v", p, err)
		}
	})
}

func TestAlertmanagerStartsEmpty(t *testing.T) {
	t.Parallel()
	am := startAlertmanager(t)
	am.waitFor(t, "")
}
