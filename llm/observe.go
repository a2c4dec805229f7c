package llm

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"time"
)

// Call is what Observe tells about one call.
type Call struct {
	Operation string // "chat" or "embed"
	Model     string // that answered, or the name of the embedder; empty if not known
	Role      Role   // of the request; empty for an embedder
	Start     time.Time
	Duration  time.Duration // until the end, with what the consumer did meanwhile
	// FirstToken is the time until the first text; 0 if there was none.
	FirstToken   time.Duration
	Chunks       int // chunks with text, or texts embedded
	Usage        Usage
	FinishReason FinishReason
	// Stopped says that the consumer broke out of the stream.
	Stopped bool
	Err     error // nil: the answer is complete, or was stopped
}

// Observe is told about every call when it ends, in the goroutine of the caller.
// Outside of Retry it sees what the caller sees, inside of it every attempt.
type Observe func(ctx context.Context, call Call)

// LLM wraps a language model.
func (o Observe) LLM(next LLM) LLM {
	return StreamFunc(func(ctx context.Context, req Request) iter.Seq2[Chunk, error] {
		return func(yield func(Chunk, error) bool) {
			call := Call{Operation: "chat", Role: req.Role, Start: time.Now(), Stopped: true}
			defer func() {
				call.Duration = time.Since(call.Start)
				o(ctx, call)
			}()
			p := forward(next.Stream(ctx, req), func(chunk Chunk, err error) bool {
				call.note(chunk)
				return yield(chunk, err)
			})
			call.Stopped, call.Err = p.stopped, p.err
			if p.err != nil {
				yield(Chunk{}, p.err)
			}
		}
	})
}

func (c *Call) note(chunk Chunk) {
	if chunk.Text != "" {
		if c.Chunks++; c.Chunks == 1 {
			c.FirstToken = max(time.Since(c.Start), 1)
		}
	}
	if chunk.Model != "" {
		c.Model = chunk.Model
	}
	if chunk.FinishReason != "" {
		c.FinishReason = chunk.FinishReason
	}
	if chunk.Usage != nil {
		c.Usage = *chunk.Usage
	}
}

// Embedder wraps an embedder.
func (o Observe) Embedder(next Embedder) Embedder {
	return embedFunc{next, func(ctx context.Context, texts []string) ([][]float32, error) {
		start := time.Now()
		vectors, err := next.Embed(ctx, texts)
		o(ctx, Call{Operation: "embed", Model: next.Name(), Start: start, Duration: time.Since(start), Chunks: len(vectors), Err: err})
		return vectors, err
	}}
}

// Log returns an Observe that writes a line for each call: failures as warnings,
// the rest for debugging. No line has any text of a request or an answer. A nil
// logger is silent.
func Log(logger *slog.Logger) Observe {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return func(ctx context.Context, c Call) {
		level, attributes := slog.LevelDebug, []slog.Attr{
			slog.String("operation", c.Operation), slog.String("model", c.Model), slog.String("role", string(c.Role)),
			slog.Duration("first_token", c.FirstToken), slog.Duration("duration", c.Duration), slog.Int("chunks", c.Chunks),
			slog.Int("prompt_tokens", c.Usage.PromptTokens), slog.Int("completion_tokens", c.Usage.CompletionTokens),
			slog.String("finish", string(c.FinishReason)), slog.Bool("stopped", c.Stopped),
		}
		if c.Err != nil {
			attributes = append(attributes, slog.Any("error", c.Err))
			if !errors.Is(c.Err, context.Canceled) {
				level = slog.LevelWarn
			}
		}
		logger.LogAttrs(ctx, level, "model call", attributes...)
	}
}
