package journal

import "tocsin/rules"

// waiting is the records that were taken and not handed on yet, in order.
type waiting struct {
	records  []rules.Record
	underway int // of the first of records: these are being committed
	bytes    int // of all, about
}

// fits reports whether there is room for r.
func (w *waiting) fits(r *rules.Record) bool {
	return w.bytes == 0 || w.bytes+sizeOf(r) <= maxWaiting
}

func (w *waiting) add(r rules.Record) {
	w.records = append(w.records, r)
	w.bytes += sizeOf(&r)
}

// begin returns all records, which are under way from now on.
func (w *waiting) begin() []rules.Record {
	w.underway = len(w.records)
	return w.records[:w.underway:w.underway]
}

// remove removes the first n records. None is under way any more.
func (w *waiting) remove(n int) {
	for i := range w.records[:n] {
		w.bytes -= sizeOf(&w.records[i])
	}
	w.records = append([]rules.Record(nil), w.records[n:]...)
	w.underway = 0
}

func sizeOf(r *rules.Record) int {
	n := sampleBytes * len(r.Series)
	for i := range r.States {
		n += len(r.States[i].Data)
	}
	for i := range r.Told {
		n += sampleBytes * len(r.Told[i].Alerts)
	}
	return n
}

// concat returns the series of all records.
func concat(records []rules.Record) []rules.Series {
	if len(records) == 1 {
		return records[0].Series
	}
	n := 0
	for i := range records {
		n += len(records[i].Series)
	}
	if n == 0 {
		return nil
	}
	all := make([]rules.Series, 0, n)
	for i := range records {
		all = append(all, records[i].Series...)
	}
	return all
}
