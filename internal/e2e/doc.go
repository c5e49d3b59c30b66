// Package e2e holds stories about the whole daemon: the real binary between the
// real servers it works with, VictoriaMetrics, Prometheus and Alertmanager, all
// on loopback and in temporary directories. Each test owns the processes it
// starts and ends them.
package e2e
