// Command compare reads API descriptions with getkin/kin-openapi, with
// pb33f/libopenapi and with package ingest, each file in a process of its own,
// and prints how many operations each finds, in what time and memory. It is a
// module of its own so that the library does not depend on what it compares with.
//
//	cd assistant/ingest/compare && go run . ../../../../shared/data/specs/openapi/* ../../../../shared/data/specs/malformed/*
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/pb33f/libopenapi"
	"go.yaml.in/yaml/v3"

	"github.com/api-assistant/api-assistant/assistant/ingest"
)

// readers count the operations of a file, webhooks not counted.
var readers = map[string]func(name string, content []byte) (int, error){
	"ingest": ours, "kin-openapi": kin, "libopenapi": lib,
}

var order = []string{"ingest", "kin-openapi", "libopenapi"}

func main() {
	if len(os.Args) == 4 && os.Args[1] == "-one" {
		one(os.Args[2], os.Args[3])
		return
	}
	fmt.Println("| File | " + strings.Join(order, " | ") + " |\n|---|---|---|---|")
	for _, file := range os.Args[1:] {
		if ext := filepath.Ext(file); ext != ".json" && ext != ".yaml" && ext != ".yml" {
			continue
		}
		fmt.Printf("| %s |", filepath.Base(file))
		for _, reader := range order {
			fmt.Printf(" %s |", measure(reader, file))
		}
		fmt.Println()
	}
}

// timeLimit is what one file may take.
const timeLimit = 60 * time.Second

// measure runs one reader on one file in a new process.
func measure(reader, file string) string {
	ctx, cancel := context.WithTimeout(context.Background(), timeLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-one", reader, file)
	out, err := cmd.Output()
	if err != nil {
		if ctx.Err() != nil {
			return "more than " + timeLimit.String()
		}
		return "crash: " + err.Error()
	}
	mb := int64(0)
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		mb = usage.Maxrss >> 10
	}
	return fmt.Sprintf("%s, %d MB", bytes.TrimSpace(out), mb)
}

func one(reader, file string) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // libopenapi logs there
	content, err := os.ReadFile(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	start := time.Now()
	n, err := safely(reader, filepath.Base(file), content)
	took := time.Since(start).Milliseconds()
	if err != nil {
		fmt.Printf("error (%.60s), %d ms", strings.NewReplacer("\n", " ", "|", "/").Replace(err.Error()), took)
		return
	}
	fmt.Printf("%d, %d ms", n, took)
}

func safely(reader, name string, content []byte) (n int, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return readers[reader](name, content)
}

func ours(name string, content []byte) (n int, err error) {
	s, err := ingest.Parse(context.Background(), name, bytes.NewReader(content), ingest.Options{})
	for _, d := range s.Documents {
		if d.Metadata["content_type"] == "endpoint" {
			n++
		}
	}
	return n, err
}

func kin(_ string, content []byte) (n int, err error) {
	var version struct{ Swagger any }
	if err := yaml.Unmarshal(content, &version); err == nil && version.Swagger != nil {
		return kin2(content)
	}
	t, err := openapi3.NewLoader().LoadFromData(content)
	if err != nil {
		return 0, err
	}
	return kinCount(t), nil
}

// kin2 reads Swagger 2.0, which kin-openapi takes as JSON and converts.
func kin2(content []byte) (int, error) {
	if !json.Valid(content) {
		var tree any
		if err := yaml.Unmarshal(content, &tree); err != nil {
			return 0, err
		}
		var err error
		if content, err = json.Marshal(tree); err != nil {
			return 0, err
		}
	}
	var d openapi2.T
	if err := json.Unmarshal(content, &d); err != nil {
		return 0, err
	}
	t, err := openapi2conv.ToV3(&d)
	if err != nil {
		return 0, err
	}
	return kinCount(t), nil
}

func kinCount(t *openapi3.T) (n int) {
	if t.Paths == nil {
		return 0
	}
	for _, p := range t.Paths.Map() {
		n += len(p.Operations())
	}
	return n
}

func lib(_ string, content []byte) (n int, err error) {
	d, err := libopenapi.NewDocument(content)
	if err != nil {
		return 0, err
	}
	if d.GetSpecInfo().SpecFormat == "oas2" {
		m, err := d.BuildV2Model()
		if err != nil {
			return 0, err
		}
		if m == nil || m.Model.Paths == nil {
			return 0, errors.New("no model")
		}
		for p := m.Model.Paths.PathItems.First(); p != nil; p = p.Next() {
			n += p.Value().GetOperations().Len()
		}
		return n, nil
	}
	m, err := d.BuildV3Model()
	if err != nil {
		return 0, err
	}
	if m == nil || m.Model.Paths == nil {
		return 0, nil
	}
	for p := m.Model.Paths.PathItems.First(); p != nil; p = p.Next() {
		n += p.Value().GetOperations().Len()
	}
	return n, nil
}
