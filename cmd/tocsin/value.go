package main

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// kind is how one type of flag value is read and written.
type kind[T any] struct {
	name   string // as help and the documentation show it
	parse  func(string) (T, error)
	format func(T) string
}

func stringKind() kind[string] {
	return kind[string]{
		name:   "string",
		parse:  func(s string) (string, error) { return s, nil },
		format: func(s string) string { return s },
	}
}

func boolKind() kind[bool] {
	return kind[bool]{
		name: "bool",
		parse: func(s string) (bool, error) {
			b, err := strconv.ParseBool(s)
			if err != nil {
				return false, errors.New("neither true nor false")
			}
			return b, nil
		},
		format: strconv.FormatBool,
	}
}

func intKind() kind[int] {
	return kind[int]{
		name: "int",
		parse: func(s string) (int, error) {
			n, err := strconv.ParseInt(s, 0, strconv.IntSize)
			if errors.Is(err, strconv.ErrRange) {
				return 0, errors.New("the number is too large")
			}
			if err != nil {
				return 0, errors.New("not a whole number")
			}
			return int(n), nil
		},
		format: strconv.Itoa,
	}
}

func floatKind() kind[float64] {
	return kind[float64]{
		name: "float",
		parse: func(s string) (float64, error) {
			v, err := strconv.ParseFloat(s, 64)
			if err != nil {
				return 0, errors.New("not a number")
			}
			return v, nil
		},
		format: func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) },
	}
}

func durationKind() kind[time.Duration] {
	return kind[time.Duration]{name: "duration", parse: parseDuration, format: time.Duration.String}
}

func sizeKind() kind[int64] {
	return kind[int64]{name: "size", parse: parseSize, format: formatSize}
}

// scalar is a flag of one value; the last one given counts.
type scalar[T any] struct {
	kind[T]
	target *T
}

var _ pflag.Value = (*scalar[int])(nil)

func (v *scalar[T]) String() string { return v.format(*v.target) }
func (v *scalar[T]) Type() string   { return v.name }

func (v *scalar[T]) Set(s string) error {
	parsed, err := v.parse(s)
	if err != nil {
		return err
	}
	*v.target = parsed
	return nil
}

// list is a flag of many values, repeated or separated by commas.
type list[T any] struct {
	kind[T]
	items []T
	unset T // stands for an empty item and for an index nobody gave
}

var _ pflag.Value = (*list[int])(nil)

func (l *list[T]) Type() string { return "array" }

func (l *list[T]) String() string {
	items := make([]string, len(l.items))
	for i, item := range l.items {
		items[i] = quoteItem(l.format(item))
	}
	return strings.Join(items, ",")
}

// Set appends the items of s, or none of them if one is wrong.
func (l *list[T]) Set(s string) error {
	var added []T
	for _, item := range splitList(s) {
		if item == "" {
			added = append(added, l.unset)
			continue
		}
		parsed, err := l.parse(item)
		if err != nil {
			return err
		}
		added = append(added, parsed)
	}
	l.items = append(l.items, added...)
	return nil
}

// at returns the item that belongs to the i-th URL.
func (l *list[T]) at(i int) T { return itemAt(l.items, i, l.unset) }

// itemAt returns the item that belongs to the i-th URL: a single item belongs to
// every URL, and unset to those without one.
func itemAt[T any](items []T, i int, unset T) T {
	switch {
	case i < len(items):
		return items[i]
	case len(items) == 1:
		return items[0]
	default:
		return unset
	}
}
