// Command loadtest measures a running server: POST /search from several
// connections, and GET /health meanwhile.
//
//	go run ./httpapi/loadtest -url http://127.0.0.1:8000 -upload specs/openapi -upload eval/corpus -duration 30s
//
// It uploads the descriptions in the given directories, asks about the operations
// that the server then lists, and prints requests per second and latencies. The
// client works on the same machine as the server, and its share of the processor is
// a part of what it measures.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	var (
		t       target
		uploads list
	)
	flag.StringVar(&t.url, "url", "http://127.0.0.1:8000", "the server")
	flag.StringVar(&t.key, "key", os.Getenv("API_KEY"), "API key, if it needs one")
	flag.Var(&uploads, "upload", "directory of descriptions to upload first; may be repeated")
	flag.IntVar(&t.connections, "connections", 20, "concurrent clients")
	flag.DurationVar(&t.duration, "duration", 10*time.Second, "how long to measure")
	flag.Parse()
	t.client = &http.Client{Timeout: 10 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: t.connections + 1}}
	if err := t.run(uploads); err != nil {
		fmt.Fprintln(os.Stderr, "loadtest:", err)
		os.Exit(1)
	}
}

// list is a flag that may be repeated.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

// target is a server and how to ask it.
type target struct {
	url, key    string
	connections int
	duration    time.Duration
	client      *http.Client
}

func (t *target) run(uploads []string) error {
	for _, dir := range uploads {
		if err := t.uploadAll(dir); err != nil {
			return err
		}
	}
	queries, total, err := t.queries()
	if err != nil {
		return err
	}
	if _, err := t.once("POST", "/search", queries[0]); err != nil { // builds the index
		return err
	}
	fmt.Printf("%d operations, %d connections, %s\n", total, t.connections, t.duration)
	searches, health, err := t.measure(queries)
	if err != nil {
		return err
	}
	fmt.Printf("POST /search  %8.0f requests/s  %s\n", float64(len(searches))/t.duration.Seconds(), latencies(searches))
	fmt.Printf("GET /health   %8.0f requests/s  %s\n", float64(len(health))/t.duration.Seconds(), latencies(health))
	return nil
}

// uploadAll uploads the files of a directory, each in a request of its own. A
// file that the server does not take is reported and passed over.
func (t *target) uploadAll(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		name := filepath.Base(filepath.Dir(dir)) + "-" + e.Name() // files of several directories are often called openapi.json
		if err := t.upload(name, content); err != nil {
			fmt.Printf("%s: %v\n", e.Name(), err)
		}
	}
	return nil
}

func (t *target) upload(name string, content []byte) error {
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	part, err := m.CreateFormFile("files", name)
	if err != nil {
		return err
	}
	if _, err := part.Write(content); err != nil {
		return err
	}
	if err := m.Close(); err != nil {
		return err
	}
	return t.send("POST", "/documents/upload", m.FormDataContentType(), body.Bytes(), io.Discard)
}

// queries are search requests for what the operations say that they do.
func (t *target) queries() (bodies [][]byte, total int, err error) {
	var answer bytes.Buffer
	if err := t.send("GET", "/operations?limit=10000", "", nil, &answer); err != nil {
		return nil, 0, err
	}
	var found struct {
		Operations []struct{ Summary, ID string }
		Total      int
	}
	if err := json.Unmarshal(answer.Bytes(), &found); err != nil {
		return nil, 0, err
	}
	if found.Total == 0 {
		return nil, 0, errors.New("the server knows no operations; upload some with -upload")
	}
	for _, op := range found.Operations {
		text := op.Summary
		if text == "" {
			text = op.ID
		}
		body, err := json.Marshal(map[string]any{"query": text, "n_results": 5})
		if err != nil {
			return nil, 0, err
		}
		bodies = append(bodies, body)
	}
	return bodies, found.Total, nil
}

// measure searches from all connections for the duration, and asks for the
// health every 10 ms meanwhile.
func (t *target) measure(queries [][]byte) (searches, health []time.Duration, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), t.duration)
	defer cancel()
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		failed error
	)
	work := func(pause time.Duration, ask func(i int) (time.Duration, error), into *[]time.Duration) {
		wg.Go(func() {
			var took []time.Duration
			for i := 0; ctx.Err() == nil; i++ {
				d, err := ask(i)
				if err != nil {
					mu.Lock()
					failed = errors.Join(failed, err)
					mu.Unlock()
					break
				}
				took = append(took, d)
				time.Sleep(pause)
			}
			mu.Lock()
			*into = append(*into, took...)
			mu.Unlock()
		})
	}
	for c := range t.connections {
		work(0, func(i int) (time.Duration, error) {
			// A prime stride: connections do not ask the same at the same time.
			return t.once("POST", "/search", queries[(i*7919+c*104729)%len(queries)])
		}, &searches)
	}
	work(10*time.Millisecond, func(int) (time.Duration, error) { return t.once("GET", "/health", nil) }, &health)
	wg.Wait()
	return searches, health, failed
}

// once makes one request and returns how long it took.
func (t *target) once(method, path string, body []byte) (time.Duration, error) {
	start := time.Now()
	err := t.send(method, path, "application/json", body, io.Discard)
	return time.Since(start), err
}

// send makes a request whose answer must be a success.
func (t *target) send(method, path, media string, body []byte, to io.Writer) error {
	r, err := http.NewRequest(method, t.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	if t.key != "" {
		r.Header.Set("X-API-Key", t.key)
	}
	resp, err := t.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		message, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, message)
	}
	_, err = io.Copy(to, resp.Body)
	return err
}

// latencies says where the middle and the end of a distribution are.
func latencies(took []time.Duration) string {
	if len(took) == 0 {
		return "nothing measured"
	}
	slices.Sort(took)
	at := func(share float64) float64 {
		return float64(took[min(int(share*float64(len(took))), len(took)-1)].Microseconds()) / 1000
	}
	return fmt.Sprintf("p50 %6.2f ms  p99 %6.2f ms  max %6.2f ms", at(0.5), at(0.99), at(1))
}
