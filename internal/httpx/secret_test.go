package httpx

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretNeverShows(t *testing.T) {
	const value = "hunter2"
	options := ClientOptions{
		BasicAuth:   BasicAuth{Username: "u", Password: value},
		BearerToken: value,
		OAuth2:      OAuth2{ClientSecret: value},
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%e"} {
		for _, arg := range []any{Secret(value), options, &options, []Secret{value}} {
			text := fmt.Sprintf(verb, arg)
			if strings.Contains(text, value) || strings.Contains(text, fmt.Sprintf("%x", value)) {
				t.Errorf("%s of %T shows the secret: %s", verb, arg, text)
			}
		}
	}
	data, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", Secret(value), "options", options)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", Secret(value), "options", options)
	for _, text := range []string{string(data), log.String()} {
		if strings.Contains(text, value) || !strings.Contains(text, "secret") {
			t.Errorf("secret shows, or its stand-in does not: %s", text)
		}
	}
}
