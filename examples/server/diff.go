package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/assistant/changes"
)

// diff prints what differs between two versions of an API. It fails if one of
// the changes breaks clients.
func diff(ctx context.Context, in invocation) error {
	flags := quietFlags("diff")
	format := flags.String("format", "text", "text or json")
	if err := flags.Parse(in.args); err != nil || flags.NArg() != 2 || *format != "text" && *format != "json" {
		return usageError("it needs two files, the old and the new one, and -format text or json")
	}
	var versions [2][]*apispec.Operation
	for i, path := range flags.Args() {
		var err error
		if versions[i], err = readOperations(ctx, path); err != nil {
			return err
		}
	}
	report := changes.Compare(versions[0], versions[1])
	var err error
	if *format == "json" {
		err = json.NewEncoder(in.out).Encode(report)
	} else {
		_, err = fmt.Fprint(in.out, report)
	}
	if err == nil && report.Breaking > 0 {
		return errNotOK
	}
	return err
}

// readOperations reads the operations of one description.
func readOperations(ctx context.Context, path string) ([]*apispec.Operation, error) {
	a, err := assistant.New(assistant.Config{})
	if err != nil {
		return nil, err
	}
	defer a.Close()
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := a.Ingest(ctx, assistant.File{Name: filepath.Base(path), Content: f}); err != nil {
		return nil, err
	}
	catalog, err := a.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	if catalog.Len() == 0 {
		return nil, fmt.Errorf("%s describes no operations", path)
	}
	return catalog.Operations(), nil
}
