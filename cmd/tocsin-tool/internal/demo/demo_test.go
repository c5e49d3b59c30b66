package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tocsin/internal/app"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// terminal is a writer that may be read while it is written.
type terminal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

func (t *terminal) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// post sends one alert to the receiver of o.
func post(o app.Options, name string, endsIn time.Duration) error {
	body := fmt.Sprintf(`[{"labels":{"alertname":%q},"endsAt":%q}]`, name, time.Now().Add(endsIn).Format(time.RFC3339Nano))
	resp, err := http.Post(o.Notifier.URLs[0]+"/api/v2/alerts", "application/json", strings.NewReader(body))
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// get returns the body at url.
func get(url string) (string, error) {
	resp, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func closeIdle(t *testing.T) {
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
}

func TestDaemonFindsRulesSeriesAndReceiver(t *testing.T) {
	closeIdle(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var (
		out   terminal
		files []string
		up    string
	)
	err := Run(ctx, Options{
		Out: &out, Proved: cancel,
		Daemon: func(ctx context.Context, o app.Options, _ <-chan struct{}, log *slog.Logger) (err error) {
			if files, err = filepath.Glob(o.Rules.Files[0]); err != nil {
				return err
			}
			if up, err = get(o.Datasource.URL + `/api/v1/query?query=count(up)`); err != nil {
				return err
			}
			log.Debug("nothing")
			log.Info("something")
			if err := errors.Join(post(o, "Odd", time.Hour), post(o, "Odd", -time.Second)); err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 2 {
		t.Errorf("rule files are %q, want two", files)
	}
	if !strings.Contains(up, `"3"]`) {
		t.Errorf("query for instances answers %s, want three", up)
	}
	if want := regexp.MustCompile(`\ntime=\d\d:\d\d:\d\d level=INFO msg=something\n\S+  FIRING    Odd\n\S+  RESOLVED  Odd\n$`); !want.MatchString(out.String()) {
		t.Errorf("terminal shows:\n%s", out.String())
	}
	if _, err := os.Stat(filepath.Dir(files[0])); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("directory of rules is left behind: %v", err)
	}
}

// idle is a daemon that does nothing.
func idle(ctx context.Context, _ app.Options, _ <-chan struct{}, _ *slog.Logger) error {
	<-ctx.Done()
	return nil
}

func TestTimeUpWithoutAlertIsError(t *testing.T) {
	err := Run(t.Context(), Options{Out: io.Discard, Daemon: idle, Duration: time.Millisecond})
	if !errors.Is(err, ErrNotProved) {
		t.Errorf("got %v, want ErrNotProved", err)
	}
}

func TestTimeUpAfterAlertIsSuccess(t *testing.T) {
	closeIdle(t)
	err := Run(t.Context(), Options{
		Out: io.Discard, Duration: 200 * time.Millisecond,
		Daemon: func(ctx context.Context, o app.Options, _ <-chan struct{}, _ *slog.Logger) error {
			err := errors.Join(post(o, "Odd", time.Hour), post(o, "Odd", -time.Second))
			<-ctx.Done()
			return err
		},
	})
	if err != nil {
		t.Error(err)
	}
}

func TestInterruptIsNoError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Run(ctx, Options{Out: io.Discard, Daemon: idle, Duration: time.Hour}); err != nil {
		t.Error(err)
	}
}

func TestDaemonThatFailsEndsDemo(t *testing.T) {
	broken := errors.New("no such rule")
	for _, c := range []struct {
		name string
		err  error
	}{{"with an error", broken}, {"silently", nil}} {
		t.Run(c.name, func(t *testing.T) {
			err := Run(t.Context(), Options{
				Out:    io.Discard,
				Daemon: func(context.Context, app.Options, <-chan struct{}, *slog.Logger) error { return c.err },
			})
			if err == nil || !errors.Is(err, c.err) && c.err != nil {
				t.Errorf("got %v, want an error that wraps %v", err, c.err)
			}
		})
	}
}
