package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/httpapi"
)

// finding is an endpoint that a text mentions, as POST /verify has it.
type finding struct {
	Mention string   `json:"mention"`
	Status  string   `json:"status"`
	Nearest []string `json:"nearest"`
}

// wrong reports whether there is no such endpoint.
func (f finding) wrong() bool { return f.Status == "unknown_path" || f.Status == "wrong_method" }

// message says what is wrong.
func (f finding) message() string {
	said := f.Mention + ": " + strings.ReplaceAll(f.Status, "_", " ")
	if len(f.Nearest) > 0 {
		said += " (did you mean " + f.Nearest[0] + "?)"
	}
	return said
}

// formats are the ways to print findings.
var formats = map[string]func(w io.Writer, name, text string, found []finding) error{
	"text": func(w io.Writer, name, text string, found []finding) error {
		printFindings(w, found)
		return nil
	},
	"json": func(w io.Writer, name, text string, found []finding) error {
		return json.NewEncoder(w).Encode(map[string]any{"endpoints": found})
	},
	"sarif": writeSARIF,
}

func printFindings(w io.Writer, found []finding) {
	for _, f := range found {
		fmt.Fprintf(w, "%-12s  %s\n", f.Status, f.message())
	}
}

// verifyText looks up the endpoints that a text mentions. It fails if one does
// not exist.
func verifyText(ctx context.Context, in invocation) (err error) {
	flags := quietFlags("verify")
	where := targetFlags(flags)
	format := flags.String("format", "text", "text, json or sarif")
	var specs []string
	flags.Func("spec", "API description, instead of a server or the data directory", func(s string) error {
		specs = append(specs, s)
		return nil
	})
	if err := flags.Parse(in.args); err != nil {
		return usageError(err.Error())
	}
	write := formats[*format]
	if flags.NArg() != 1 || write == nil {
		return usageError("it needs one file (- is standard input), and -format text, json or sarif")
	}
	text, err := readInput(flags.Arg(0))
	if err != nil {
		return err
	}
	open := where.open
	if len(specs) > 0 {
		open = func(ctx context.Context, _ invocation) (*api, error) { return specAPI(ctx, specs) }
	}
	a, err := open(ctx, in)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	var reply struct{ Endpoints []finding }
	if err := a.post(ctx, "/verify", map[string]any{"text": string(text)}, &reply); err != nil {
		return err
	}
	if err := write(in.out, flags.Arg(0), string(text), reply.Endpoints); err != nil {
		return err
	}
	for _, f := range reply.Endpoints {
		if f.wrong() {
			return errNotOK
		}
	}
	return nil
}

// specAPI is the api of an assistant that knows the given descriptions only.
func specAPI(ctx context.Context, specs []string) (*api, error) {
	a, err := assistant.New(assistant.Config{})
	if err != nil {
		return nil, err
	}
	for _, path := range specs {
		f, err := os.Open(path)
		if err == nil {
			_, err = a.Ingest(ctx, assistant.File{Name: filepath.ToSlash(path), Content: f})
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			return nil, errors.Join(err, a.Close())
		}
	}
	catalog, err := a.Catalog(ctx)
	if err == nil && catalog.Len() == 0 {
		err = errors.New("the descriptions have no operations, so that nothing can be checked")
	}
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return inProcess(httpapi.New(a, httpapi.Options{}), a.Close), nil
}
