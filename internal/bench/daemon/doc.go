// Package daemon runs tocsin or vmalert as a whole process that is to be
// measured, against a stub of everything that it talks to. Whoever starts a
// Process or a Stub ends it.
package daemon
