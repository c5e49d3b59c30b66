package memstore

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
)

// Bounds of one remote write request.
const (
	maxWriteCompressed = 16 << 20
	maxWriteDecoded    = 64 << 20
	maxLabel           = 1 << 20 // bytes of one name or value
)

// serveWrite takes Prometheus remote write, version 1. It answers 204 when every
// sample is stored, 400 when some were refused (the others are stored all the
// same), and 415 to encodings and versions it does not speak, which makes
// clients fall back.
func (s *Store) serveWrite(w http.ResponseWriter, r *http.Request) {
	if why := unsupported(r.Header); why != "" {
		http.Error(w, why, http.StatusUnsupportedMediaType)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWriteCompressed))
	if err != nil {
		http.Error(w, fmt.Sprintf("reading the body: %s", err), http.StatusBadRequest)
		return
	}
	batch, err := decodeWrite(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	switch err := s.Append(r.Context(), batch); {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.Is(err, ErrBadSample):
		http.Error(w, err.Error(), http.StatusBadRequest)
	default:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// unsupported returns why a body so described cannot be read, or "".
func unsupported(h http.Header) string {
	if enc := h.Get("Content-Encoding"); enc != "" && enc != "snappy" {
		return fmt.Sprintf("content encoding %q is not supported, only snappy", enc)
	}
	if strings.Contains(h.Get("Content-Type"), "io.prometheus.write.v2") {
		return "remote write 2.0 is not supported, only 1.0"
	}
	return ""
}

// decodeWrite returns the samples of a snappy-compressed WriteRequest. Exemplars
// and metadata are left out; native histograms are an error.
func decodeWrite(body []byte) ([]Sample, error) {
	n, err := snappy.DecodedLen(body)
	if err != nil {
		return nil, fmt.Errorf("decompressing the body: %w", err)
	}
	if n > maxWriteDecoded {
		return nil, fmt.Errorf("decompressing the body: %d bytes are more than %d", n, maxWriteDecoded)
	}
	raw, err := snappy.Decode(nil, body)
	if err != nil {
		return nil, fmt.Errorf("decompressing the body: %w", err)
	}
	var req prompb.WriteRequest
	if err := req.Unmarshal(raw); err != nil {
		return nil, fmt.Errorf("decoding the write request: %w", err)
	}
	return samplesOf(&req)
}

func samplesOf(req *prompb.WriteRequest) ([]Sample, error) {
	var (
		batch []Sample
		b     = labels.NewScratchBuilder(16)
	)
	for _, ts := range req.Timeseries {
		for _, l := range ts.Labels {
			if len(l.Name) > maxLabel || len(l.Value) > maxLabel {
				return nil, fmt.Errorf("a label is longer than %d bytes", maxLabel)
			}
		}
		l := ts.ToLabels(&b, nil)
		if len(ts.Histograms) > 0 {
			return nil, fmt.Errorf("series %s: native histograms are not kept here", l)
		}
		for _, x := range ts.Samples {
			batch = append(batch, Sample{Labels: l, T: x.Timestamp, V: x.Value})
		}
	}
	return batch, nil
}
