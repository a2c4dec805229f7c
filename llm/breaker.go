package llm

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"sync"
	"time"
)

// BreakerConfig says when a Breaker opens. The zero value works.
type BreakerConfig struct {
	Failures int           // failures in a row that open it; 0 means 5
	Pause    time.Duration // how long it stays open; 0 means 30 s
	// On says which errors are failures of the provider. nil means ErrUnavailable,
	// ErrTimeout, ErrTruncated and ErrMalformed: what a request or an account got
	// wrong says nothing about the provider.
	On func(error) bool
}

// Breaker spares a provider that keeps failing. After a number of failures in a
// row it is open: calls fail at once with ErrUnavailable that wraps ErrOpen, and
// RetryAfter says how long. Then one call is let through; if it succeeds the
// breaker closes, else it stays open for another pause. One Breaker may wrap
// several models of a provider, which then share it.
type Breaker struct {
	failures int
	pause    time.Duration
	counts   func(error) bool

	mu      sync.Mutex
	row     int       // failures in a row
	until   time.Time // zero: closed
	probing bool      // the one call is under way
}

// ErrOpen is why a Breaker failed a call.
var ErrOpen = errors.New("it failed too often and gets a pause")

// NewBreaker returns a closed breaker.
func NewBreaker(cfg BreakerConfig) *Breaker {
	b := &Breaker{failures: cmp.Or(cfg.Failures, 5), pause: cmp.Or(cfg.Pause, 30*time.Second), counts: cfg.On}
	if b.counts == nil {
		b.counts = func(err error) bool {
			return errors.Is(err, ErrUnavailable) || errors.Is(err, ErrTimeout) ||
				errors.Is(err, ErrTruncated) || errors.Is(err, ErrMalformed)
		}
	}
	return b
}

// LLM wraps a language model.
func (b *Breaker) LLM(next LLM) LLM {
	return StreamFunc(func(ctx context.Context, req Request) iter.Seq2[Chunk, error] {
		return func(yield func(Chunk, error) bool) {
			probe, err := b.enter()
			if err != nil {
				yield(Chunk{}, err)
				return
			}
			result := unknown
			defer func() { b.leave(probe, result) }()
			p := forward(next.Stream(ctx, req), yield)
			switch {
			case p.err != nil:
				result = b.judge(p.err)
				yield(Chunk{}, p.err)
			case p.text || !p.stopped:
				result = good
			}
		}
	})
}

// Embedder wraps an embedder.
func (b *Breaker) Embedder(next Embedder) Embedder {
	return embedFunc{next, func(ctx context.Context, texts []string) ([][]float32, error) {
		probe, err := b.enter()
		if err != nil {
			return nil, err
		}
		result := unknown
		defer func() { b.leave(probe, result) }()
		vectors, err := next.Embed(ctx, texts)
		result = b.judge(err)
		return vectors, err
	}}
}

// outcome is what a call says about the provider.
type outcome int

const (
	unknown outcome = iota // the caller went away, or made a mistake
	good
	bad
)

func (b *Breaker) judge(err error) outcome {
	switch {
	case err == nil:
		return good
	case b.counts(err):
		return bad
	}
	return unknown
}

// enter asks for a call, and reports whether it is the one that probes.
func (b *Breaker) enter() (probe bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until.IsZero() {
		return false, nil
	}
	left := time.Until(b.until)
	if left > 0 || b.probing {
		return false, &Error{Kind: ErrUnavailable, RetryAfter: max(left, time.Second), Cause: ErrOpen}
	}
	b.probing = true
	return true, nil
}

// leave records how a call went. While the breaker is open only the call that
// probes counts: the others began before.
func (b *Breaker) leave(probe bool, result outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if probe {
		b.probing = false
	} else if !b.until.IsZero() {
		return
	}
	switch result {
	case good:
		b.row, b.until = 0, time.Time{}
	case bad:
		if b.row++; probe || b.row >= b.failures {
			b.until = time.Now().Add(b.pause)
		}
	}
}
