// Package llm is the contract between the toolkit and language models: the
// [LLM] and [Embedder] interfaces, the messages they exchange, and decorators
// that make any model calm when it fails.
//
//	model := llm.Chain(client, // outermost first
//		llm.Log(logger).LLM,
//		llm.NewBreaker(llm.BreakerConfig{}).LLM,
//		llm.Retry{}.LLM,
//		llm.NewRateLimit(llm.RateLimitConfig{PerMinute: 30}).LLM,
//		llm.Timeout{FirstToken: 20 * time.Second}.LLM,
//	)
//	answer, err := llm.Generate(ctx, model, llm.Request{
//		Messages: []llm.Message{{Speaker: llm.User, Content: "hello"}},
//	})
//
// # Decorators
//
// A decorator is a value whose methods LLM and Embedder wrap a model; their zero
// values and configurations work. One value may wrap several models, which then
// share its state: one [RateLimit] for the chat and the embeddings of an account,
// one [Breaker] for all models of a provider. [Fallback] and [Route] make one
// model of several.
//
// The order above is the useful one. Each attempt of Retry takes its turn at
// RateLimit, waiting for a turn does not count as silence of the model, and a
// Breaker outside of Retry counts a call once and fails at once while it is
// open, instead of waiting for itself.
//
// # Half an answer
//
// Text that has been streamed cannot be taken back. Retry and Fallback therefore
// act only before the first text of an answer. A consumer that heeds
// [Chunk].Restart, as [Generate] does, may set Retry.Restart.
package llm

import (
	"cmp"
	"context"
	"iter"
	"strings"
)

// Speaker says who wrote a message.
type Speaker string

// The speakers of a conversation.
const (
	System    Speaker = "system"
	User      Speaker = "user"
	Assistant Speaker = "assistant"
)

// Message is one turn of a conversation.
type Message struct {
	Speaker Speaker
	Content string
}

// Role says what kind of model a request wants, so that a router can pick one.
type Role string

// The roles. The zero value means RoleGeneral.
const (
	RoleGeneral   Role = "general"
	RoleCode      Role = "code"
	RoleReasoning Role = "reasoning"
)

// Passage is a retrieved text that the answer may cite as [Number].
type Passage struct {
	Number int    // the citation number, from 1
	Title  string // "GET /orders", say
	Text   string
	// Score says how well it matches the question, above 0 to 1, where that is
	// known; 0 says nothing.
	Score float64
}

// Request is one call to a model. The zero value of every field but Messages
// is a sensible default.
type Request struct {
	Messages    []Message
	Role        Role
	Temperature *float64 // nil: the model's default; 0 to 2
	MaxTokens   int      // 0: the model's default
	Stop        []string
	// Question and Passages are what is asked and the retrieved texts, which
	// Messages already contain, for models that read them directly (the offline
	// one). Others ignore them.
	Question string
	Passages []Passage
}

// Usage counts tokens.
type Usage struct {
	PromptTokens     int
	CompletionTokens int
}

// FinishReason says why a model stopped.
type FinishReason string

// The finish reasons.
const (
	FinishStop   FinishReason = "stop"
	FinishLength FinishReason = "length"
	FinishFilter FinishReason = "content_filter"
)

// Chunk is a piece of an answer. The last chunk of a complete answer has a
// FinishReason; Usage is nil unless the model reports it. A chunk without any
// text is a sign of life: the model thinks, say.
type Chunk struct {
	Text         string
	FinishReason FinishReason
	Usage        *Usage
	Model        string // the model that answered, where known
	// Restart says that the answer begins anew: the text before this chunk is
	// void. Only Retry with Restart sends it.
	Restart bool
}

// LLM is a language model. Stream is lazy: the request is made when the
// iteration starts. The sequence may be used once, yields at most one error
// and it is last; breaking out of it, or cancelling ctx, releases the
// connection. A cancelled context is yielded as its error. Implementations are
// safe for concurrent use.
type LLM interface {
	Stream(ctx context.Context, req Request) iter.Seq2[Chunk, error]
}

// StreamFunc is a function that is a language model.
type StreamFunc func(ctx context.Context, req Request) iter.Seq2[Chunk, error]

// Stream implements LLM.
func (f StreamFunc) Stream(ctx context.Context, req Request) iter.Seq2[Chunk, error] {
	return f(ctx, req)
}

// Embedder turns texts into vectors of unit length. Implementations are safe
// for concurrent use.
type Embedder interface {
	// Embed returns one vector for each text, in order, each of Dimensions()
	// length. It fails as a whole.
	Embed(ctx context.Context, texts []string) ([][]float32, error)
	// Dimensions is the length of the vectors; 0 if not known before the first
	// call.
	Dimensions() int
	// Name identifies model and version; two embedders with the same name give
	// the same vectors. It is recorded with the store.
	Name() string
}

// Response is a whole answer.
type Response struct {
	Text         string
	FinishReason FinishReason
	Usage        Usage
	Model        string
}

// Generate calls a model and collects what it streams. After an error the
// response is empty: half an answer is none.
func Generate(ctx context.Context, model LLM, req Request) (Response, error) {
	var (
		out  Response
		text strings.Builder
	)
	for chunk, err := range model.Stream(ctx, req) {
		if err != nil {
			return Response{}, err
		}
		if chunk.Restart {
			out = Response{}
			text.Reset()
		}
		text.WriteString(chunk.Text)
		out.FinishReason = cmp.Or(chunk.FinishReason, out.FinishReason)
		out.Model = cmp.Or(chunk.Model, out.Model)
		if chunk.Usage != nil {
			out.Usage = *chunk.Usage
		}
	}
	out.Text = text.String()
	return out, nil
}
