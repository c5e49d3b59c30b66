// Package awsauth finds the credentials of a process for AWS and for services
// that speak its protocols, and signs requests with them.
//
// Credentials come from where AWS' own tools take them: the environment, shared
// credentials and configuration files, roles, programs, and the metadata services
// of containers and instances. A Source keeps what it found and renews it in time.
// It starts no goroutine.
package awsauth

import (
	"time"

	"tocsin/internal/httpx"
)

// Credentials are what requests are signed with.
type Credentials struct {
	AccessKeyID string
	SecretKey   httpx.Secret
	Token       httpx.Secret // "" unless they are temporary
	Expires     time.Time    // zero if they do not, as far as it is known
}
