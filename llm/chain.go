package llm

import (
	"context"
	"iter"
	"slices"
	"time"
)

// Decorator wraps a language model.
type Decorator = func(LLM) LLM

// EmbedderDecorator wraps an embedder.
type EmbedderDecorator = func(Embedder) Embedder

// Chain wraps a model in decorators, the outermost first.
func Chain(model LLM, outermost ...Decorator) LLM {
	for _, wrap := range slices.Backward(outermost) {
		model = wrap(model)
	}
	return model
}

// ChainEmbedder wraps an embedder in decorators, the outermost first.
func ChainEmbedder(e Embedder, outermost ...EmbedderDecorator) Embedder {
	for _, wrap := range slices.Backward(outermost) {
		e = wrap(e)
	}
	return e
}

// embedFunc replaces the Embed of an embedder.
type embedFunc struct {
	Embedder
	embed func(ctx context.Context, texts []string) ([][]float32, error)
}

func (e embedFunc) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	return e.embed(ctx, texts)
}

// passage says how a stream went that was passed on.
type passage struct {
	text    bool // some text was passed on
	stopped bool // the consumer wants no more
	err     error
}

// forward passes a stream on, but for its error.
func forward(stream iter.Seq2[Chunk, error], yield func(Chunk, error) bool) (p passage) {
	for chunk, err := range stream {
		if err != nil {
			p.err = err
			return p
		}
		p.text = p.text || chunk.Text != ""
		if !yield(chunk, nil) {
			p.stopped = true
			return p
		}
	}
	return p
}

// sleep waits, or returns the error of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// endsBefore reports whether ctx will have ended when d has passed.
func endsBefore(ctx context.Context, d time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) <= d
}
