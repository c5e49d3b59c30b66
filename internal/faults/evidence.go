package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// writeEvidence writes into the folder of the stage what the verdict is based on,
// one line for each thing: what was demanded, what happened and what each
// Alertmanager was told. What is recorded is in the storage itself.
func (t *trial) writeEvidence() error {
	errs := []error{
		t.writeFile("firings.txt", func(w io.Writer) {
			for _, f := range t.stage.world.Firings() {
				fmt.Fprintf(w, "%s/%d active %s fires %s resolves %s\n",
					f.Alert, f.Instance, moment(f.Active), moment(f.Fires), moment(f.Resolves))
			}
		}),
		t.writeFile("happened.txt", func(w io.Writer) {
			for _, h := range t.conductor.happened() {
				fmt.Fprintf(w, "%s %s %s amount %s\n", moment(h.From), moment(h.To), h.Name(), h.Amount)
			}
			for _, d := range t.keeper.windows(time.Now()) {
				fmt.Fprintf(w, "%s %s not ready\n", moment(d.From), moment(d.To))
			}
			for _, s := range t.stalls.seen() {
				fmt.Fprintf(w, "%s %s machine stood still\n", moment(s.From), moment(s.To))
			}
		}),
	}
	for _, am := range alertmanagers {
		errs = append(errs, t.writeFile(string(am)+".txt", func(w io.Writer) {
			for _, p := range t.stage.notes[am].Posts() {
				fmt.Fprintf(w, "%s %s/%d fires %t since %s until %s\n",
					moment(p.At), p.Alert, p.Instance, p.Fires(), moment(p.StartsAt), moment(p.EndsAt))
			}
		}))
	}
	return errors.Join(errs...)
}

func (t *trial) writeFile(name string, write func(w io.Writer)) error {
	f, err := os.Create(filepath.Join(t.stage.dir, name))
	if err != nil {
		return fmt.Errorf("write evidence: %w", err)
	}
	w := bufio.NewWriter(f)
	write(w)
	return errors.Join(w.Flush(), f.Close())
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("15:04:05.000")
}
