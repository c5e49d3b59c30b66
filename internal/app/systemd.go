package app

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

// systemd tells the service manager how the daemon is doing, if there is one
// that wants to know (sd_notify(3)).
type systemd struct {
	log *slog.Logger

	stop chan struct{} // closed to end the watchdog
	done chan struct{} // closed when it has ended
}

// newSystemd begins to serve the watchdog; stopping ends it.
func newSystemd(log *slog.Logger) *systemd {
	s := &systemd{log: log, stop: make(chan struct{}), done: make(chan struct{})}
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("systemd watchdog is not served", "error", err)
	}
	go s.watch(interval / 2)
	return s
}

// watch says every so often that the process is alive. It does so during a
// reload too, which may take longer than the watchdog waits.
func (s *systemd) watch(every time.Duration) {
	defer close(s.done)
	if every <= 0 {
		return
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.tell(daemon.SdNotifyWatchdog)
		case <-s.stop:
			return
		}
	}
}

func (s *systemd) ready() { s.tell(daemon.SdNotifyReady) }

func (s *systemd) stopping() {
	close(s.stop)
	<-s.done
	s.tell(daemon.SdNotifyStopping)
}

// reloading says that a reload has begun; ready says that it has ended. systemd
// wants to know the time by its own clock (Type=notify-reload).
func (s *systemd) reloading() {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		s.log.Warn("systemd is not told of the reload", "error", err)
		return
	}
	s.tell(fmt.Sprintf("%s\nMONOTONIC_USEC=%d", daemon.SdNotifyReloading, now.Nano()/1000))
}

func (s *systemd) tell(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		s.log.Warn("systemd was not told", "state", state, "error", err)
	}
}
