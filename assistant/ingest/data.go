package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// dataWriter makes documents of JSON or YAML of which nothing else is known: one
// for each key at the top, one for each run of elements of a list.
type dataWriter struct {
	file *File
	most int
	left int // bytes that may still be written: aliases can make a small file large
	out  Source
	top  []any
}

// maxDataBytes bounds what is written of a file, in times of its size.
const maxDataBytes = 4

func parseData(ctx context.Context, f *File, o Options) (Source, error) {
	root, err := f.tree()
	if err != nil {
		return Source{}, err
	}
	if root.branch == nil {
		return Source{}, &Error{File: f.Name, Err: ErrUnsupported, Reason: "it holds a single " + root.kind.String() + ", no object and no list"}
	}
	w := dataWriter{file: f, most: o.MaxDocumentBytes, left: maxDataBytes*len(f.Content) + 10_000}
	if f.more {
		w.out.Warnings = append(w.out.Warnings, Warning{Message: "the file has several YAML documents; the first is read"})
	}
	if len(root.values) == 0 {
		return Source{}, &Error{File: f.Name, Err: ErrEmpty, Reason: "its " + root.kind.String() + " is empty"}
	}
	for i, key := range root.keys {
		if i < 100 {
			w.top = append(w.top, key)
		}
	}
	if root.kind == list {
		err = w.list(ctx, "", "", root)
	} else {
		err = w.object(ctx, root, o)
	}
	return w.out, err
}

func (w *dataWriter) object(ctx context.Context, root *node, o Options) (err error) {
	done := 0
	root.each(func(key string, v *node) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || w.left < 0 {
			return
		}
		at := pointer("", key)
		if v.kind == list && len(v.values) > 0 {
			err = w.list(ctx, key, at, v)
		} else {
			w.value(key, at, v)
		}
		done++
		o.progress(w.file.Name, done, len(root.keys))
	})
	if w.left < 0 {
		w.out.Warnings = append(w.out.Warnings, Warning{Message: "its aliases repeat so much that not all of it is written out"})
	}
	return err
}

// value writes one value, in several documents if it is long.
func (w *dataWriter) value(key, at string, v *node) {
	parts := w.cut(indented(v, &w.left))
	for i, part := range parts {
		w.add(key, fmt.Sprintf("%s/%d", at, i), part, v.kind.String(), map[string]any{"chunk_index": i, "chunk_count": len(parts)})
	}
}

// cut cuts a text at its lines.
func (w *dataWriter) cut(text string) []string {
	var out []string
	for _, c := range (block{text: text, kind: lines}).split(w.most*3/4, w.most) {
		out = append(out, c.text)
	}
	return out
}

// list writes runs of elements, as many in a document as fit.
func (w *dataWriter) list(ctx context.Context, key, at string, n *node) error {
	var (
		run   strings.Builder
		start = 0
	)
	flush := func(next int) {
		if run.Len() > 0 {
			w.add(key, fmt.Sprintf("%s/%d", at, start), strings.TrimRight(run.String(), "\n"), "array",
				map[string]any{"array_start_index": start, "array_element_count": next - start})
			run.Reset()
		}
		start = next
	}
	for i, e := range n.values {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if w.left < 0 {
			break
		}
		text := compactJSON(e, &w.left) + "\n"
		if run.Len()+len(text) > chunkBytes {
			flush(i)
		}
		if len(text) <= w.most*3/4 {
			run.WriteString(text)
			continue
		}
		parts := w.cut(indented(e, &w.left))
		for p, part := range parts {
			w.add(key, fmt.Sprintf("%s/%d/%d", at, i, p), part, "array", map[string]any{"array_start_index": i, "array_element_count": 1,
				"chunk_index": p, "chunk_count": len(parts)})
		}
		start = i + 1
	}
	flush(len(n.values))
	return nil
}

func (w *dataWriter) add(key, at, body, jsonType string, meta map[string]any) {
	if strings.TrimSpace(body) == "" {
		return
	}
	title := w.file.base()
	if key != "" {
		short := clip(oneLine(key), w.most/8)
		title += ": " + short
		body = short + ":\n" + body
	}
	meta["content_type"], meta["title"], meta["json_type"] = "data", title, jsonType
	if key != "" {
		meta["key"] = key
	}
	if len(w.top) > 0 {
		meta["top_level_keys"] = w.top
	}
	w.out.Documents = append(w.out.Documents, vectorstore.Document{Pointer: at, Content: body, Metadata: meta})
}

// indented writes a value in lines, as people write YAML: one scalar a line.
func indented(n *node, left *int) string {
	var b strings.Builder
	writeIndented(&b, n, "", left)
	return strings.TrimRight(b.String(), "\n")
}

func writeIndented(b *strings.Builder, n *node, indent string, left *int) {
	if *left < 0 {
		return
	}
	if n.branch == nil {
		line := indent + scalarText(n) + "\n"
		*left -= len(line)
		b.WriteString(line)
		return
	}
	item := func(name string, v *node) {
		if *left < 0 {
			return
		}
		if v.branch == nil {
			line := indent + name + scalarText(v) + "\n"
			*left -= len(line)
			b.WriteString(line)
			return
		}
		line := indent + strings.TrimRight(name, " ") + "\n"
		*left -= len(line)
		b.WriteString(line)
		deeper := indent
		if len(indent) < 40 {
			deeper += "  "
		}
		writeIndented(b, v, deeper, left)
	}
	for _, v := range n.items() {
		item("- ", v)
	}
	n.each(func(key string, v *node) { item(oneLine(key)+": ", v) })
}

func scalarText(n *node) string {
	if n.kind == null {
		return "null"
	}
	return n.text
}

// compactJSON writes a value in one line.
func compactJSON(n *node, left *int) string {
	var b strings.Builder
	writeCompact(&b, n, left)
	return b.String()
}

func writeCompact(b *strings.Builder, n *node, left *int) {
	before := b.Len()
	defer func() { *left -= b.Len() - before }()
	switch {
	case *left < 0:
		b.WriteString("…")
	case n.kind == str:
		b.WriteString(quote(n.text))
	case n.kind == list:
		b.WriteByte('[')
		for i, v := range n.values {
			if i > 0 {
				b.WriteString(", ")
			}
			writeCompact(b, v, left)
			if *left-(b.Len()-before) < 0 {
				break
			}
		}
		b.WriteByte(']')
	case n.kind == object:
		b.WriteByte('{')
		first := true
		n.each(func(key string, v *node) {
			if *left-(b.Len()-before) < 0 {
				return
			}
			if !first {
				b.WriteString(", ")
			}
			first = false
			b.WriteString(quote(key) + ": ")
			writeCompact(b, v, left)
		})
		b.WriteByte('}')
	default:
		b.WriteString(scalarText(n))
	}
}

func quote(s string) string {
	if raw, err := json.Marshal(s); err == nil && !strings.ContainsAny(s, "<>&") {
		return string(raw)
	}
	return strconv.Quote(s)
}
