// Package llmtest holds what tests of models, and of what uses them, need.
//
// [Run], [RunServed] and [RunEmbedder] are the conformance suites of llm.LLM and
// llm.Embedder. Every model and decorator of this module passes them; run them
// on your own:
//
//	func TestModel(t *testing.T) {
//		llmtest.Run(t, func(t *testing.T) llm.LLM { return mymodel.New() })
//	}
//
// [Model] and [Embedder] follow a script, without a network. Their pauses are
// timers, so a test in a synctest bubble does not wait for them.
//
// [Server] is an OpenAI-compatible server with faults: the name of the model says
// which. It is an http.Handler, too.
//
// The suites count goroutines: do not run them in parallel with other tests.
package llmtest

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/api-assistant/api-assistant/llm"
)

// Reply is what a scripted model does in one call, in the order of its fields.
// The zero value is an empty answer that is complete.
type Reply struct {
	Wait   time.Duration // before anything; the end of the context ends it
	Hang   bool          // wait for the end of the context
	Texts  []string      // the chunks
	Pause  time.Duration // before each chunk but the first
	Stall  bool          // after the chunks, wait for the end of the context
	Err    error         // after the chunks, instead of the end
	Finish llm.FinishReason
	Usage  *llm.Usage
}

// Say is a complete answer in chunks.
func Say(texts ...string) Reply {
	return Reply{Texts: texts, Usage: &llm.Usage{PromptTokens: 1, CompletionTokens: len(texts)}}
}

// Fail is an error after some chunks.
func Fail(err error, texts ...string) Reply { return Reply{Texts: texts, Err: err} }

// Model is a language model that follows a script: the n-th call gets the n-th
// reply, and those after the last one get the last. It is safe for concurrent
// use.
type Model struct {
	Name string // in the chunks

	mu      sync.Mutex
	replies []Reply
	calls   []Asked
}

// Asked is one call of a scripted model.
type Asked struct {
	Request llm.Request
	At      time.Time
}

// NewModel returns a model that follows a script.
func NewModel(replies ...Reply) *Model { return &Model{Name: "scripted", replies: replies} }

// Calls returns the calls so far.
func (m *Model) Calls() []Asked {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.calls)
}

func (m *Model) next(req llm.Request) Reply {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, Asked{req, time.Now()})
	if len(m.replies) == 0 {
		return Reply{}
	}
	return m.replies[min(len(m.calls), len(m.replies))-1]
}

// Stream implements llm.LLM.
func (m *Model) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(llm.Chunk{}, err)
			return
		}
		if err := m.next(req).play(ctx, m.Name, yield); err != nil {
			yield(llm.Chunk{}, err)
		}
	}
}

// play follows a reply, and returns the error that ends it.
func (r Reply) play(ctx context.Context, name string, yield func(llm.Chunk, error) bool) error {
	if err := wait(ctx, r.Wait, r.Hang); err != nil {
		return err
	}
	for i, text := range r.Texts {
		if i > 0 {
			if err := wait(ctx, r.Pause, false); err != nil {
				return err
			}
		}
		if !yield(llm.Chunk{Text: text, Model: name}, nil) {
			return nil
		}
	}
	if err := wait(ctx, 0, r.Stall); err != nil || r.Err != nil {
		if err == nil {
			err = r.Err
		}
		return err
	}
	if r.Finish == "" {
		r.Finish = llm.FinishStop
	}
	yield(llm.Chunk{Model: name, FinishReason: r.Finish, Usage: r.Usage}, nil)
	return nil
}

// wait waits for d, or for good, or until ctx ends.
func wait(ctx context.Context, d time.Duration, forever bool) error {
	if d <= 0 && !forever {
		return ctx.Err()
	}
	var over <-chan time.Time
	if !forever {
		timer := time.NewTimer(d)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-over:
		return nil
	}
}

// Embedder is an embedder that follows a script: the n-th call fails with the
// n-th error, if it is not nil. Otherwise it makes unit vectors from the bytes
// of the texts. It is safe for concurrent use.
type Embedder struct {
	mu     sync.Mutex
	errors []error
	calls  int
}

// NewEmbedder returns an embedder that follows a script.
func NewEmbedder(errors ...error) *Embedder { return &Embedder{errors: errors} }

// Calls returns how many calls there were.
func (e *Embedder) Calls() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.calls
}

// Dimensions implements llm.Embedder.
func (*Embedder) Dimensions() int { return dimensions }

// Name implements llm.Embedder.
func (*Embedder) Name() string { return "scripted/1" }

// Embed implements llm.Embedder.
func (e *Embedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	e.mu.Lock()
	e.calls++
	n := e.calls
	e.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if n <= len(e.errors) && e.errors[n-1] != nil {
		return nil, e.errors[n-1]
	}
	out := make([][]float32, len(texts))
	for i, text := range texts {
		out[i] = direction(text)
	}
	return out, nil
}
