package config

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"strings"

	"gopkg.in/yaml.v3"
)

var errAnchor = errors.New("yaml: a text that begins with * needs quotes, for there is no anchor of that name")

// Document is a YAML file that holds no rules but is read in the manner of rule
// files: variables are replaced, keys nobody asks for are problems, and all
// problems are found at once, each with its line. None quotes a value that may be a
// secret.
type Document struct {
	Name string // of the file, without secrets
	Hash Hash   // of the content, variables replaced

	d    *decoder
	root *Mapping // nil if there is none to read
}

// LoadDocument reads a file or an http(s) URL. Of o it uses MaxSize, Timeout,
// Transport and Env. An error is Problems, or that of ctx.
func LoadDocument(ctx context.Context, path string, o Options) (*Document, error) {
	src := source{path: path, name: path}
	if isURL(path) {
		src = urlSource(path, false)
	}
	if src.problem.Message != "" {
		src.problem.File = src.name
		return nil, Problems{src.problem}
	}
	data, _, err := NewLoader(o).read(ctx, src, version{})
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, Problems{src.unreadable(err)}
	}
	return ParseDocument(src.name, expandEnv(data, o.Env)), nil
}

// ParseDocument reads the content of a file. What is wrong with it is among the
// Problems.
func ParseDocument(name string, data []byte) *Document {
	doc := &Document{
		Name: name, Hash: sha256.Sum256(data),
		d: newDecoder(name, len(data), &Options{}),
	}
	if content := doc.d.content(data); content != nil {
		doc.root = doc.d.mapping(content, "file")
	}
	return doc
}

// content returns what is in data, which must be one YAML document and not empty;
// nil if it is not, which is a problem.
func (d *decoder) content(data []byte) *yaml.Node {
	documents := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	err := documents.Decode(&first)
	if err == nil && len(first.Content) > 0 && !isNull(d.resolve(first.Content[0])) {
		err = documents.Decode(&second)
		if err == nil {
			d.problem(second.Line, "", "a second document, where one is expected")
		}
		if err == nil || errors.Is(err, io.EOF) {
			return first.Content[0]
		}
	}
	switch {
	case err == nil || errors.Is(err, io.EOF):
		d.problem(0, "", "file is empty")
	case strings.Contains(err.Error(), "unknown anchor"):
		// The name of the anchor may be a password that begins with a star.
		d.syntax(errAnchor)
	default:
		d.syntax(err)
	}
	return nil
}

// Root returns the mapping that the file is, nil if it is none.
func (doc *Document) Root() *Mapping { return doc.root }

// Problems returns what is wrong with the file so far, by line.
func (doc *Document) Problems() Problems {
	if doc.d.visits > doc.d.maxVisits {
		return Problems{{File: doc.Name, Message: "aliases make the file too large to read"}}
	}
	doc.d.problems.Sort()
	return doc.d.problems
}
