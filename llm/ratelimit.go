package llm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// RateLimitConfig says how many calls may be made.
type RateLimitConfig struct {
	// PerMinute is how many calls may start in any minute. 0 or less: no limit.
	PerMinute int
	// Burst is how many of them may start at once, from 1 to half of PerMinute. 0
	// means a fifth. The larger it is, the slower the calls after a burst, so that
	// PerMinute holds in every minute.
	Burst int
	// MaxWait is how long a call may wait for its turn, and the longest pause that
	// an answer of the provider imposes on later calls. 0 means one minute.
	MaxWait time.Duration
}

// RateLimit makes calls wait for their turn. When a provider answers that there
// are too many, all calls wait as long as it asks. A call whose turn does not
// come within MaxWait, or before ctx ends, fails at once with ErrRateLimited and
// the wait as RetryAfter. One RateLimit may wrap several models and embedders,
// which then share it.
type RateLimit struct {
	limiter   *rate.Limiter
	maxWait   time.Duration
	perMinute int

	mu     sync.Mutex
	paused time.Time // the provider wants no calls before
}

// NewRateLimit returns a limit.
func NewRateLimit(cfg RateLimitConfig) *RateLimit {
	l := &RateLimit{limiter: rate.NewLimiter(rate.Inf, 1), maxWait: cmp.Or(cfg.MaxWait, time.Minute), perMinute: cfg.PerMinute}
	if n := cfg.PerMinute; n > 0 {
		burst := max(min(cmp.Or(cfg.Burst, n/5), n/2), 1)
		// A minute that begins with a full burst has n calls, too.
		l.limiter = rate.NewLimiter(rate.Limit(float64(n-burst+1)/60), burst)
	}
	return l
}

// LLM wraps a language model.
func (l *RateLimit) LLM(next LLM) LLM {
	return StreamFunc(func(ctx context.Context, req Request) iter.Seq2[Chunk, error] {
		return func(yield func(Chunk, error) bool) {
			err := l.wait(ctx)
			if err == nil {
				p := forward(next.Stream(ctx, req), yield)
				if err = p.err; p.stopped || err == nil {
					return
				}
				l.heed(err)
			}
			yield(Chunk{}, err)
		}
	})
}

// Embedder wraps an embedder.
func (l *RateLimit) Embedder(next Embedder) Embedder {
	return embedFunc{next, func(ctx context.Context, texts []string) ([][]float32, error) {
		if err := l.wait(ctx); err != nil {
			return nil, err
		}
		vectors, err := next.Embed(ctx, texts)
		l.heed(err)
		return vectors, err
	}}
}

// wait waits for a turn.
func (l *RateLimit) wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	pause := time.Until(l.paused)
	l.mu.Unlock()
	turn := l.limiter.Reserve()
	delay := max(turn.Delay(), pause)
	if delay > l.maxWait || endsBefore(ctx, delay) {
		turn.Cancel()
		return &Error{Kind: ErrRateLimited, RetryAfter: delay, Cause: l.reason(pause)}
	}
	if err := sleep(ctx, delay); err != nil {
		turn.Cancel()
		return err
	}
	return nil
}

func (l *RateLimit) reason(pause time.Duration) error {
	if pause > 0 {
		return errors.New("the provider asked for a pause")
	}
	return fmt.Errorf("this program makes at most %d calls a minute", l.perMinute)
}

// heed notes the pause that a provider asks for.
func (l *RateLimit) heed(err error) {
	asked := retryAfter(err)
	if asked == 0 || !errors.Is(err, ErrRateLimited) {
		return
	}
	until := time.Now().Add(min(asked, l.maxWait))
	l.mu.Lock()
	defer l.mu.Unlock()
	if until.After(l.paused) {
		l.paused = until
	}
}
