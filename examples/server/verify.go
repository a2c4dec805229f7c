package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// finding is an endpoint of a text as verify prints it.
type finding struct {
	Mention string         `json:"mention"`
	Status  apispec.Status `json:"status"`
	Nearest []string       `json:"nearest"`
}

// verifyText looks up the endpoints that a text mentions. It fails if one does
// not exist.
func verifyText(ctx context.Context, in invocation) error {
	flags := quietFlags("verify")
	format := flags.String("format", "text", "text or json")
	var specs []string
	flags.Func("spec", "API description", func(s string) error { specs = append(specs, s); return nil })
	if err := flags.Parse(in.args); err != nil {
		return usageError(err.Error())
	}
	if flags.NArg() != 1 || len(specs) == 0 || *format != "text" && *format != "json" {
		return usageError("it needs one text, at least one -spec, and -format text or json")
	}
	text, err := os.ReadFile(flags.Arg(0))
	if err != nil {
		return err
	}
	findings, ok, err := lookUp(ctx, specs, string(text))
	if err != nil {
		return err
	}
	if *format == "json" {
		if err := json.NewEncoder(in.out).Encode(findings); err != nil {
			return err
		}
	} else {
		for _, f := range findings {
			fmt.Fprintf(in.out, "%-12s %s", f.Status, f.Mention)
			if len(f.Nearest) > 0 {
				fmt.Fprintf(in.out, " (did you mean %s?)", f.Nearest[0])
			}
			fmt.Fprintln(in.out)
		}
	}
	if !ok {
		return errNotOK
	}
	return nil
}

// lookUp reads the descriptions and reports whether all endpoints of the text
// are theirs.
func lookUp(ctx context.Context, specs []string, text string) (findings []finding, ok bool, err error) {
	a, err := assistant.New(assistant.Config{})
	if err != nil {
		return nil, false, err
	}
	defer a.Close()
	for _, path := range specs {
		f, err := os.Open(path)
		if err != nil {
			return nil, false, err
		}
		_, err = a.Ingest(ctx, assistant.File{Name: filepath.Base(path), Content: f})
		f.Close()
		if err != nil {
			return nil, false, err
		}
	}
	catalog, err := a.Catalog(ctx)
	if err != nil {
		return nil, false, err
	}
	if catalog.Len() == 0 {
		return nil, false, fmt.Errorf("the descriptions have no operations, so that nothing can be checked")
	}
	findings, ok = []finding{}, true
	for _, e := range assistant.Verify(catalog, text).Endpoints {
		f := finding{Mention: e.Mention, Status: e.Status, Nearest: []string{}}
		for _, n := range e.Nearest {
			f.Nearest = append(f.Nearest, n.Method+" "+n.Path)
		}
		findings = append(findings, f)
		ok = ok && e.Status != "unknown_path" && e.Status != "wrong_method"
	}
	return findings, ok, nil
}
