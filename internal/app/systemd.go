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
	log    *slog.Logger
	ticker *time.Ticker // for the watchdog; nil if there is none
}

func newSystemd(log *slog.Logger) *systemd {
	s := &systemd{log: log}
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("systemd watchdog is not served", "error", err)
	}
	if interval > 0 {
		s.ticker = time.NewTicker(interval / 2)
	}
	return s
}

// watchdog returns the channel on which it is time to say alive.
func (s *systemd) watchdog() <-chan time.Time {
	if s.ticker == nil {
		return nil
	}
	return s.ticker.C
}

func (s *systemd) ready() { s.tell(daemon.SdNotifyReady) }

func (s *systemd) alive() { s.tell(daemon.SdNotifyWatchdog) }

func (s *systemd) stopping() {
	if s.ticker != nil {
		s.ticker.Stop()
	}
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
