package llm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"
)

// Retry repeats a call that failed for a passing reason. The pause before the
// n-th repetition is a random part of Base·2ⁿ⁻¹ ("full jitter", so that clients
// that failed together do not come back together), or what the provider asks for
// if that is longer, with a little jitter on top. It gives up at once, with the
// error at hand, when the pause would be longer than Max or would outlast ctx.
//
// An answer of which text has been streamed is not repeated, unless Restart is
// set. The zero value works.
type Retry struct {
	Attempts int           // calls in all; 0 means DefaultAttempts, 1 never repeats
	Base     time.Duration // 0 means 500 ms
	Max      time.Duration // the longest pause; 0 means one minute
	// Restart repeats an answer that broke off, too; a chunk with Restart then
	// tells the consumer to forget what it has.
	Restart bool
	// On says which errors are repeated. nil means Temporary. The end of ctx is
	// never repeated.
	On func(error) bool
}

// DefaultAttempts is how often Retry calls a model in all.
const DefaultAttempts = 3

// LLM wraps a language model.
func (r Retry) LLM(next LLM) LLM {
	return StreamFunc(func(ctx context.Context, req Request) iter.Seq2[Chunk, error] {
		return func(yield func(Chunk, error) bool) {
			sent := false
			for attempt := 1; ; attempt++ {
				p := forward(next.Stream(ctx, req), yield)
				if sent = sent || p.text; p.stopped || p.err == nil {
					return
				}
				err := p.err
				if !sent || r.Restart {
					if err = r.pause(ctx, attempt, err); err == nil {
						if sent && !yield(Chunk{Restart: true}, nil) {
							return
						}
						sent = false
						continue
					}
				}
				yield(Chunk{}, err)
				return
			}
		}
	})
}

// Embedder wraps an embedder.
func (r Retry) Embedder(next Embedder) Embedder {
	return embedFunc{next, func(ctx context.Context, texts []string) ([][]float32, error) {
		for attempt := 1; ; attempt++ {
			vectors, err := next.Embed(ctx, texts)
			if err == nil {
				return vectors, nil
			}
			if err = r.pause(ctx, attempt, err); err != nil {
				return nil, err
			}
		}
	}}
}

// pause waits before the next attempt. It returns the error to end with if there
// is to be none.
func (r Retry) pause(ctx context.Context, attempt int, err error) error {
	if ctx.Err() != nil || !r.repeats(err) {
		return err
	}
	wait := r.wait(attempt, err)
	if attempt >= cmp.Or(r.Attempts, DefaultAttempts) || wait > cmp.Or(r.Max, time.Minute) || endsBefore(ctx, wait) {
		if attempt == 1 {
			return err
		}
		return fmt.Errorf("after %d attempts: %w", attempt, err)
	}
	return sleep(ctx, wait)
}

func (r Retry) repeats(err error) bool {
	if r.On != nil {
		return r.On(err)
	}
	return Temporary(err)
}

// wait is how long to wait after the attempt that failed with err.
func (r Retry) wait(attempt int, err error) time.Duration {
	longest := cmp.Or(r.Max, time.Minute)
	bound := cmp.Or(r.Base, 500*time.Millisecond)
	for range attempt - 1 {
		if bound *= 2; bound >= longest || bound <= 0 {
			bound = longest
			break
		}
	}
	jitter := rand.N(min(max(bound, 1), longest))
	asked := retryAfter(err)
	if asked == 0 {
		return jitter
	}
	return max(jitter, asked+rand.N(asked/10+1))
}

// retryAfter is what the provider asks for; 0 if it does not say.
func retryAfter(err error) time.Duration {
	var e *Error
	if errors.As(err, &e) {
		return min(max(e.RetryAfter, 0), forever) // it may be anything
	}
	return 0
}
