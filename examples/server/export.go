package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/api-assistant/api-assistant/retriever"
	"github.com/api-assistant/api-assistant/vectorstore"
)

// exported is a line of an export: a document, or at the end the number of them.
type exported struct {
	ID       string          `json:"id,omitempty"`
	Source   string          `json:"source,omitempty"`
	Pointer  string          `json:"pointer,omitempty"`
	Content  string          `json:"content,omitempty"`
	Metadata map[string]any  `json:"metadata,omitempty"`
	Data     json.RawMessage `json:"data,omitempty"`
	End      *int            `json:"end,omitempty"`
}

// export writes the documents as JSON lines, without vectors, which import makes
// anew. The last line has their number, so that an export that was cut shows.
func (l dataset) export(ctx context.Context, w io.Writer) error {
	buffered, n := bufio.NewWriter(w), 0
	to := json.NewEncoder(buffered)
	for d, err := range l.corpus.All(ctx, nil) {
		if err != nil {
			return err
		}
		n++
		if err := to.Encode(exported{d.ID, d.Source, d.Pointer, d.Content, d.Metadata, d.Data, nil}); err != nil {
			return err
		}
	}
	if err := to.Encode(exported{End: &n}); err != nil {
		return err
	}
	return buffered.Flush()
}

// importFrom stores the documents of an export, those of a source in place of
// what the source held. It reads all before it writes, and returns their number.
func (l dataset) importFrom(ctx context.Context, r io.Reader) (int, error) {
	var (
		single  []vectorstore.Document
		uploads []retriever.Upload
		place   = map[string]int{} // of a source in uploads
		n       int
	)
	for from := json.NewDecoder(r); ; n++ {
		from.UseNumber()
		var e exported
		if err := from.Decode(&e); err != nil {
			return 0, fmt.Errorf("document %d of the export: it is cut off or not JSON", n+1)
		}
		if e.End != nil {
			if *e.End != n {
				return 0, fmt.Errorf("the export has %d documents, and says %d", n, *e.End)
			}
			break
		}
		d := vectorstore.Document{ID: e.ID, Source: e.Source, Pointer: e.Pointer, Content: e.Content, Metadata: numbers(e.Metadata), Data: e.Data}
		if d.Source == "" {
			single = append(single, d)
			continue
		}
		i, ok := place[d.Source]
		if !ok {
			i = len(uploads)
			place[d.Source], uploads = i, append(uploads, retriever.Upload{Source: d.Source})
		}
		uploads[i].Documents = append(uploads[i].Documents, d)
	}
	if len(uploads) > 0 {
		if _, err := l.corpus.Replace(ctx, uploads...); err != nil {
			return 0, err
		}
	}
	if len(single) > 0 {
		if _, err := l.corpus.Add(ctx, single...); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// numbers makes integers and floats of JSON's numbers.
func numbers(metadata map[string]any) map[string]any {
	for name, v := range metadata {
		metadata[name] = number(v)
		if list, ok := v.([]any); ok {
			for i := range list {
				list[i] = number(list[i])
			}
		}
	}
	return metadata
}

func number(v any) any {
	n, ok := v.(json.Number)
	if !ok {
		return v
	}
	if i, err := n.Int64(); err == nil {
		return i
	}
	f, _ := n.Float64() // out of range is infinite, which the store refuses
	return f
}

// exportLines prints an export, or writes it to a file.
func exportLines(ctx context.Context, in invocation) (err error) {
	to := in.out
	switch {
	case len(in.args) > 1:
		return usageError("it writes one file, or standard output")
	case len(in.args) == 1:
		f, err := os.OpenFile(in.args[0], os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		to = f
	}
	return in.copyData(ctx, "/export", dataset.export, to)
}

// importLines reads an export.
func importLines(ctx context.Context, in invocation) error {
	if len(in.args) != 1 {
		return usageError("it needs the file of an export (- is standard input)")
	}
	cfg, err := loadConfig(in.environ, in.dotenv)
	if err != nil {
		return err
	}
	from := io.Reader(os.Stdin)
	if in.args[0] != "-" {
		f, err := os.Open(in.args[0])
		if err != nil {
			return err
		}
		defer f.Close()
		from = f
	}
	body, err := admin(ctx, cfg.DataDir, "POST", "/import", from)
	if err == nil {
		defer body.Close()
		said, err := io.ReadAll(body)
		fmt.Fprintf(in.out, "imported %s documents\n", said)
		return err
	}
	if !errors.Is(err, errNoServer) {
		return err
	}
	l, err := openLocal(ctx, in, cfg, true)
	if err != nil {
		return err
	}
	n, err := l.importFrom(ctx, from)
	if err = errors.Join(err, l.corpus.Close()); err != nil {
		return err
	}
	fmt.Fprintf(in.out, "imported %d documents\n", n)
	return nil
}
