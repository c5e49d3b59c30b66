package witness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Series is what is stored of a series. Times, in milliseconds since the Unix
// epoch, may occur more than once.
type Series struct {
	Labels map[string]string
	Times  []int64
	Values []float64 // NaN where the series ends
}

// Storage reads from a VictoriaMetrics what was written to it.
type Storage struct {
	URL    string
	Client *http.Client
}

// Export returns all series of a selector with their samples in [from, to].
func (s *Storage) Export(ctx context.Context, selector string, from, to time.Time) ([]Series, error) {
	flushed, err := s.get(ctx, "/internal/force_flush", nil)
	if err != nil {
		return nil, err
	}
	flushed.Close()
	body, err := s.get(ctx, "/api/v1/export", url.Values{
		"match[]": {selector},
		"start":   {strconv.FormatFloat(float64(from.UnixMilli())/1000, 'f', 3, 64)},
		"end":     {strconv.FormatFloat(float64(to.UnixMilli())/1000, 'f', 3, 64)},
	})
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return readExport(body)
}

func (s *Storage) get(ctx context.Context, path string, form url.Values) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path+"?"+form.Encode(), nil)
	if err != nil {
		return nil, fmt.Errorf("ask storage: %w", err)
	}
	resp, err := s.Client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask storage: %w", err)
	}
	if resp.StatusCode/100 != 2 {
		resp.Body.Close()
		return nil, fmt.Errorf("ask storage for %s: answer %s", path, resp.Status)
	}
	return resp.Body, nil
}

// readExport reads one JSON object per line.
func readExport(r io.Reader) ([]Series, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read what storage exports: %w", err)
	}
	var all []Series
	for line := range bytes.Lines(text) {
		s, err := readSeries(line)
		if err != nil {
			return nil, fmt.Errorf("read what storage exports: %w: %.200q", err, line)
		}
		all = append(all, s)
	}
	return all, nil
}

func readSeries(line []byte) (Series, error) {
	var got struct {
		Metric     map[string]string `json:"metric"`
		Values     []*float64        `json:"values"`
		Timestamps []int64           `json:"timestamps"`
	}
	// Where the first value is none, VictoriaMetrics writes what is not JSON.
	line = bytes.Replace(line, []byte(`"values":[NaN`), []byte(`"values":[null`), 1)
	if err := json.Unmarshal(line, &got); err != nil {
		return Series{}, err
	}
	if len(got.Values) != len(got.Timestamps) {
		return Series{}, fmt.Errorf("%d values at %d times", len(got.Values), len(got.Timestamps))
	}
	s := Series{Labels: got.Metric, Times: got.Timestamps, Values: make([]float64, len(got.Values))}
	for i, v := range got.Values {
		s.Values[i] = math.NaN()
		if v != nil {
			s.Values[i] = *v
		}
	}
	return s, nil
}
