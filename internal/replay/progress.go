package replay

import (
	"io"
	"log/slog"
	"sync"

	"github.com/cheggaaa/pb/v3"
)

// Progress is told how the replay gets on. Add may be called from many goroutines.
type Progress interface {
	Begin(group string, evaluations int)
	Add(evaluations int)
	End()
}

// NewBars returns a Progress that draws a bar for each group on the terminal w.
func NewBars(w io.Writer) Progress { return &bars{out: w} }

type bars struct {
	out io.Writer
	bar *pb.ProgressBar
}

func (b *bars) Begin(group string, evaluations int) {
	b.bar = pb.New(evaluations).SetWriter(b.out).Set(pb.Terminal, true).Set("prefix", group+" ")
	b.bar.Start()
}

func (b *bars) Add(evaluations int) { b.bar.Add(evaluations) }

func (b *bars) End() { b.bar.Finish() }

// NewLines returns a Progress that logs when a group begins and, after that, each
// tenth of it that is done.
func NewLines(log *slog.Logger) Progress { return &lines{log: log} }

type lines struct {
	log *slog.Logger

	mu          sync.Mutex // guards the fields below
	group       string
	done, total int
}

func (l *lines) Begin(group string, evaluations int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.group, l.done, l.total = group, 0, evaluations
	l.log.Info("replay of a group begins", "group", group, "evaluations", evaluations)
}

func (l *lines) Add(evaluations int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	tenth := 10 * l.done / l.total
	l.done += evaluations
	if next := 10 * l.done / l.total; next > tenth {
		l.log.Info("replay of a group gets on", "group", l.group, "percent", 10*next)
	}
}

func (l *lines) End() {}
