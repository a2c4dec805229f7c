package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/api-assistant/api-assistant/assistant/session"
	"github.com/api-assistant/api-assistant/vectorstore"
)

// target says which documents a command works with: those of a running server,
// or those of the data directory.
type target struct {
	url, key *string
}

// targetFlags adds the flags that pick a target.
func targetFlags(flags *flag.FlagSet) target {
	return target{
		url: flags.String("url", "", "address of a running server; without it the data directory is used"),
		key: flags.String("key", "", "API key for -url; better in the variable API_KEY, which no process list shows"),
	}
}

// api speaks the HTTP interface, of a server or of a handler in this process:
// commands need not know which.
type api struct {
	base, key string
	client    *http.Client
	close     func() error
}

// open opens the target. The caller closes the api.
func (t target) open(ctx context.Context, in invocation) (*api, error) {
	if *t.url != "" {
		if err := checkURL("-url", *t.url, ""); err != nil {
			return nil, usageError(err.Error())
		}
		return &api{strings.TrimSuffix(*t.url, "/"), cmp.Or(*t.key, in.variable("API_KEY")),
			&http.Client{Timeout: maxAnswerTime}, func() error { return nil }}, nil
	}
	cfg, err := loadConfig(in.environ, in.dotenv)
	if err != nil {
		return nil, err
	}
	cfg.LoadSample = false
	log := slog.New(slog.DiscardHandler)
	models, err := newModels(cfg.Models, log, modelClient())
	if err != nil {
		return nil, err
	}
	s, err := openService(ctx, cfg, models, log)
	if errors.Is(err, vectorstore.ErrLocked) {
		return nil, fmt.Errorf("a server has the data directory %s open: give its address with -url", cfg.DataDir)
	}
	if err != nil {
		return nil, err
	}
	return inProcess(s.handler(cfg, log, session.NewMemory(session.Options{}), nil), s.Close), nil
}

// inProcess is the api of a handler.
func inProcess(h http.Handler, close func() error) *api {
	return &api{"http://in.process", "", &http.Client{Transport: handlerTransport{h}}, close}
}

// handlerTransport lets a handler answer the requests of a client.
type handlerTransport struct{ http.Handler }

func (t handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	recorded := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	t.ServeHTTP(recorded, r)
	return recorded.Result(), nil
}

// post sends a JSON body and reads a JSON answer.
func (a *api) post(ctx context.Context, path string, body, answer any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return a.do(ctx, http.MethodPost, path, "application/json", bytes.NewReader(raw), answer)
}

// maxReply bounds what is read of an answer, in bytes.
const maxReply = 64 << 20

// do makes a request. An answer that is an error becomes an error with the
// server's own sentence.
func (a *api) do(ctx context.Context, method, path, contentType string, body io.Reader, answer any) error {
	for wait := time.Second; ; wait *= 2 {
		r, err := http.NewRequestWithContext(ctx, method, a.base+path, body)
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", contentType)
		if a.key != "" {
			r.Header.Set("X-API-Key", a.key)
		}
		resp, err := a.client.Do(r)
		if err != nil {
			return err
		}
		raw, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
		resp.Body.Close()
		if err != nil {
			return err
		}
		seeker, again := body.(io.Seeker)
		if resp.StatusCode == http.StatusTooManyRequests && again && wait <= 32*time.Second {
			if _, err := seeker.Seek(0, io.SeekStart); err != nil {
				return err
			}
			select {
			case <-time.After(wait):
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if resp.StatusCode >= 300 {
			var refused struct{ Message string }
			_ = json.Unmarshal(raw, &refused) // not ours: then the status has to do
			return fmt.Errorf("%s %s: %s", method, path, cmp.Or(refused.Message, resp.Status))
		}
		if err := json.Unmarshal(raw, answer); err != nil {
			return fmt.Errorf("%s %s: the answer is not what this version expects: %w", method, path, err)
		}
		return nil
	}
}
