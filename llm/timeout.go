package llm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"
)

// Timeout ends a call that has gone silent with ErrTimeout. What the consumer
// does with a chunk does not count as silence. The zero value works; a negative
// limit means none.
type Timeout struct {
	// FirstToken is how long a model may think before the first chunk, and how
	// long one call of an embedder may take. 0 means DefaultFirstToken.
	FirstToken time.Duration
	// BetweenTokens is how long the next chunk may take. 0 means
	// DefaultBetweenTokens.
	BetweenTokens time.Duration
	// Total bounds the whole answer, with all that is wrapped. 0 means no bound.
	Total time.Duration
}

// The limits of the zero Timeout.
const (
	DefaultFirstToken    = time.Minute
	DefaultBetweenTokens = 30 * time.Second
)

var (
	errSilent = errors.New("llm: silent for too long")
	errTotal  = errors.New("llm: took too long in all")
)

// LLM wraps a language model, which must end when its context does.
func (t Timeout) LLM(next LLM) LLM {
	first, between := cmp.Or(t.FirstToken, DefaultFirstToken), cmp.Or(t.BetweenTokens, DefaultBetweenTokens)
	return StreamFunc(func(outer context.Context, req Request) iter.Seq2[Chunk, error] {
		return func(yield func(Chunk, error) bool) {
			ctx, stop := t.bound(outer)
			defer stop(nil)
			limit := first
			timer := time.AfterFunc(cmp.Or(max(limit, 0), forever), func() { stop(errSilent) })
			defer timer.Stop()
			for chunk, err := range next.Stream(ctx, req) {
				timer.Stop()
				if err != nil {
					yield(Chunk{}, t.explain(outer, ctx, err, limit))
					return
				}
				if !yield(chunk, nil) {
					return
				}
				if limit = between; limit > 0 {
					timer.Reset(limit)
				}
			}
		}
	})
}

// Embedder wraps an embedder, which must end when its context does.
func (t Timeout) Embedder(next Embedder) Embedder {
	limit := cmp.Or(t.FirstToken, DefaultFirstToken)
	return embedFunc{next, func(outer context.Context, texts []string) ([][]float32, error) {
		ctx, stop := t.bound(outer)
		defer stop(nil)
		timer := time.AfterFunc(cmp.Or(max(limit, 0), forever), func() { stop(errSilent) })
		defer timer.Stop()
		vectors, err := next.Embed(ctx, texts)
		if err != nil {
			return nil, t.explain(outer, ctx, err, limit)
		}
		return vectors, nil
	}}
}

// forever is longer than any call.
const forever = 365 * 24 * time.Hour

// bound returns a context that ends with Total, or with stop.
func (t Timeout) bound(outer context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, stop := context.WithCancelCause(outer)
	if t.Total <= 0 {
		return ctx, stop
	}
	ctx, release := context.WithTimeoutCause(ctx, t.Total, errTotal)
	return ctx, func(cause error) {
		stop(cause)
		release()
	}
}

// explain turns the end of the inner context into ErrTimeout, if it was ours.
func (t Timeout) explain(outer, inner context.Context, err error, limit time.Duration) error {
	if outer.Err() != nil {
		return err
	}
	switch context.Cause(inner) {
	case errSilent:
		return &Error{Kind: ErrTimeout, Cause: fmt.Errorf("nothing came for %s", limit)}
	case errTotal:
		return &Error{Kind: ErrTimeout, Cause: fmt.Errorf("the answer was not complete after %s", t.Total)}
	}
	return err
}
