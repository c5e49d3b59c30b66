package httpx

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a string that never prints itself: whatever the verb, encoder or
// logger, it shows as <secret>. Convert it to string to use it. An unexported
// field is beyond its reach, as fmt prints those without asking.
type Secret string

const hiddenSecret = "<secret>"

// String hides the value.
func (Secret) String() string { return hiddenSecret }

// GoString hides the value from %#v.
func (Secret) GoString() string { return hiddenSecret }

// Format hides the value from every verb, those that do not fit a string included.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hiddenSecret) }

// MarshalText hides the value from encoders of JSON, YAML and the like.
func (Secret) MarshalText() ([]byte, error) { return []byte(hiddenSecret), nil }

// LogValue hides the value from slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(hiddenSecret) }
