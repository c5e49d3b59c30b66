package awsauth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// programGrace is how long a program that was told to end may keep its output open.
const programGrace = time.Second

// fromProgram runs the command that a profile names as credential_process and
// reads what it prints. What it prints otherwise is not told: it may be secret.
func fromProgram(ctx context.Context, command string) (Credentials, error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.WaitDelay = programGrace
	var out limited
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		return Credentials{}, fmt.Errorf("run credential_process: %w", err)
	}
	c, err := readKeys(out.Bytes())
	if err != nil {
		return Credentials{}, fmt.Errorf("run credential_process: %w", err)
	}
	return c, nil
}

// limited keeps no more than maxAnswer bytes.
type limited struct{ bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxAnswer {
		return 0, errors.New("too much output")
	}
	return l.Buffer.Write(p)
}
