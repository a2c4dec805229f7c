// Package openai is an llm.LLM and an llm.Embedder for any endpoint that speaks
// OpenAI's protocol: OpenAI, Groq, Ollama, vLLM, llama.cpp, LM Studio, TEI …
//
//	model, err := openai.New(openai.Config{
//		Endpoint: openai.Groq(key), // or OpenAI(key), Ollama(""), Endpoint{BaseURL: …}
//		Model:    "llama-3.3-70b-versatile",
//	})
//	if err != nil { … }
//	answer, err := llm.Generate(ctx, model, llm.Request{
//		Messages: []llm.Message{{Speaker: llm.User, Content: "hello"}},
//	})
//
// Every failure is an *llm.Error with the kind, the status and the time after
// which the provider wants to be asked again. Nothing is repeated here: that is
// for the decorators of package llm.
//
// # What it does about servers as they are
//
// The protocol has one description and many dialects. Under the go-openai client
// stands a transport of our own (wire.go) that hands on clean answers only. It
// reads Retry-After and the rate limits, error bodies in all shapes (an object, a
// string, flat, FastAPI's detail, a web page), also behind status 200 and in the
// middle of a stream, and follows no redirects. A stream is complete when the
// model gave a reason for its end or the server sent [DONE]; anything else is
// llm.ErrTruncated. An answer is bounded in size, an event too.
//
// An API key is never part of an error, also when a server echoes it.
//
// # Trade-offs
//
// Only the first choice is read, and only text: a model that calls a tool instead
// of answering is an error. Temperature 0 is sent as 0.000001, since go-openai
// leaves out a zero. Models that refuse a temperature (o1, o3, o4, gpt-5, gpt-6)
// get none.
package openai

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"strings"
	"time"

	"github.com/sashabaranov/go-openai"

	"github.com/api-assistant/api-assistant/llm"
)

// Config says which model to use, and where.
type Config struct {
	Endpoint
	Model string // "gpt-4o-mini", say; must not be empty
	// NoStream asks for the answer in one piece, which then is one chunk, for
	// servers that cannot stream.
	NoStream bool
	// NoUsage does not ask for the usage of a stream, for servers that refuse
	// stream_options.
	NoUsage bool
	// Timeout bounds the silence of the server. Its zero value has defaults; a
	// local server that has to load the model, and NoStream, may need more.
	Timeout llm.Timeout
	// MaxAnswer bounds an answer, in bytes of text; a longer one is
	// llm.ErrMalformed. 0 means DefaultMaxAnswer.
	MaxAnswer int
}

// DefaultMaxAnswer is far beyond what a person reads.
const DefaultMaxAnswer = 4 << 20

// Model is a language model behind an endpoint. It is safe for concurrent use.
type Model struct {
	cfg    Config
	wire   *wire
	client *openai.Client
	timed  llm.LLM
}

// New returns a model. It makes no request; all mistakes in the configuration
// are reported at once.
func New(cfg Config) (*Model, error) {
	err := cfg.Endpoint.check()
	if cfg.Model == "" {
		err = errors.Join(err, errors.New("the name of the model is missing"))
	}
	if err != nil {
		return nil, fmt.Errorf("llm/openai: %w", err)
	}
	cfg.MaxAnswer = cmp.Or(cfg.MaxAnswer, DefaultMaxAnswer)
	m := &Model{cfg: cfg}
	// JSON may spend six bytes on a byte of text, and something on the rest.
	m.wire, m.client = cfg.Endpoint.connect(6*cfg.MaxAnswer + 1<<20)
	m.cfg.Endpoint = cfg.Endpoint.public()
	m.timed = cfg.Timeout.LLM(llm.StreamFunc(m.stream))
	return m, nil
}

// String names the model and the endpoint, without credentials.
func (m *Model) String() string { return m.cfg.Model + " of " + m.cfg.Endpoint.String() }

// Format is String, for every verb: fmt would find the key in the fields.
func (m *Model) Format(f fmt.State, _ rune) { io.WriteString(f, m.String()) }

// LogValue is String.
func (m *Model) LogValue() slog.Value { return slog.StringValue(m.String()) }

// Stream implements llm.LLM.
func (m *Model) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Chunk, error] {
	return m.timed.Stream(ctx, req)
}

// Limits returns the rate limits that the server told last. The zero value
// means that it has told none.
func (m *Model) Limits() Limits { return m.wire.limits() }

// Models lists the models of the endpoint. It is a cheap way to see whether the
// endpoint is there and takes the key.
func (m *Model) Models(ctx context.Context) ([]string, error) {
	list, err := m.client.ListModels(ctx)
	if err != nil {
		return nil, m.wire.explain(ctx, err)
	}
	names := make([]string, len(list.Models))
	for i, model := range list.Models {
		names[i] = model.ID
	}
	return names, nil
}

func (m *Model) stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		err := ctx.Err()
		var out openai.ChatCompletionRequest
		if err == nil {
			out, err = m.request(req)
		}
		if err == nil {
			ask := m.events
			if m.cfg.NoStream {
				ask = m.whole
			}
			err = ask(ctx, out, func(c llm.Chunk) bool { return yield(c, nil) })
		}
		if err != nil && !errors.Is(err, errStopped) {
			yield(llm.Chunk{}, err)
		}
	}
}

// errStopped says that the consumer wants no more.
var errStopped = errors.New("stopped")

// request translates a request. Messages without text are left out: servers
// refuse them, and go-openai would leave out their content.
func (m *Model) request(req llm.Request) (openai.ChatCompletionRequest, error) {
	out := openai.ChatCompletionRequest{Model: m.cfg.Model, Stop: req.Stop}
	for i, msg := range req.Messages {
		switch msg.Speaker {
		case llm.System, llm.User, llm.Assistant:
		default:
			return out, m.wire.invalid("message %d is by %q; only system, user and assistant may speak", i, msg.Speaker)
		}
		if strings.TrimSpace(msg.Content) != "" {
			out.Messages = append(out.Messages, openai.ChatCompletionMessage{Role: string(msg.Speaker), Content: msg.Content})
		}
	}
	if len(out.Messages) == 0 {
		return out, m.wire.invalid("there is no message with text")
	}
	if req.MaxTokens < 0 {
		return out, m.wire.invalid("MaxTokens is %d, it must not be negative", req.MaxTokens)
	}
	reasons := isReasoning(m.cfg.Model)
	if reasons || m.cfg.Endpoint.isOpenAI() {
		out.MaxCompletionTokens = req.MaxTokens
	} else {
		//lint:ignore SA1019 OpenAI deprecates it; the other servers know no other name
		out.MaxTokens = req.MaxTokens
	}
	if t := req.Temperature; t != nil && !reasons {
		if !(*t >= 0 && *t <= 2) {
			return out, m.wire.invalid("Temperature is %v, it must be 0 to 2", *t)
		}
		out.Temperature = float32(max(*t, leastTemperature))
	}
	if !m.cfg.NoStream && !m.cfg.NoUsage {
		out.StreamOptions = &openai.StreamOptions{IncludeUsage: true}
	}
	return out, nil
}

// leastTemperature picks the likeliest token, and divides by no denormal.
const leastTemperature = 1e-6

// isReasoning reports whether a model wants max_completion_tokens and no
// temperature.
func isReasoning(model string) bool {
	for _, prefix := range []string{"o1", "o3", "o4", "gpt-5", "gpt-6"} {
		if strings.HasPrefix(model, prefix) {
			return true
		}
	}
	return false
}

// endGrace is how long the usage and the end of a stream may take once the
// answer itself is complete.
const endGrace = 2 * time.Second

// events asks for a stream and passes its chunks to send.
func (m *Model) events(outer context.Context, req openai.ChatCompletionRequest, send func(llm.Chunk) bool) error {
	ctx, cancel := context.WithCancel(outer)
	defer cancel()
	stream, err := m.client.CreateChatCompletionStream(ctx, req)
	if err != nil {
		return m.wire.explain(outer, err)
	}
	defer stream.Close()
	var a answer
	for {
		line, err := stream.RecvRaw()
		if err != nil {
			return m.end(outer, &a, err, send)
		}
		chunk, err := a.read(line)
		if err != nil {
			return m.wire.malformed(err)
		}
		if a.size > m.cfg.MaxAnswer {
			return m.wire.malformed(fmt.Errorf("it is longer than %d bytes", m.cfg.MaxAnswer))
		}
		if a.finish != "" && a.grace == nil {
			a.grace = time.AfterFunc(endGrace, cancel)
			defer a.grace.Stop()
		}
		if (chunk.Text != "" || a.thinking) && !send(chunk) {
			return errStopped
		}
	}
}

// end ends a stream that gave err: io.EOF after [DONE], or a failure. The answer
// is complete if the model gave a reason for its end, whatever came then.
func (m *Model) end(ctx context.Context, a *answer, err error, send func(llm.Chunk) bool) error {
	if err = m.wire.explainEnd(ctx, err); err != nil && (a.finish == "" || ctx.Err() != nil) {
		return err
	}
	chunk, err := a.last()
	if err != nil {
		return m.wire.malformed(err)
	}
	if !send(chunk) {
		return errStopped
	}
	return nil
}

// whole asks for an answer in one piece.
func (m *Model) whole(ctx context.Context, req openai.ChatCompletionRequest, send func(llm.Chunk) bool) error {
	resp, err := m.client.CreateChatCompletion(ctx, req)
	if err != nil {
		return m.wire.explain(ctx, err)
	}
	if len(resp.Choices) == 0 {
		return m.wire.malformed(errNoChoice)
	}
	choice := resp.Choices[0]
	text := choice.Message.Content + choice.Message.Refusal
	for _, part := range choice.Message.MultiContent {
		text += part.Text
	}
	a := answer{model: resp.Model, finish: llm.FinishReason(choice.FinishReason), size: len(text), choices: true,
		tools: len(choice.Message.ToolCalls) > 0 || choice.Message.FunctionCall != nil}
	if u := resp.Usage; u.PromptTokens > 0 || u.CompletionTokens > 0 {
		a.usage = &llm.Usage{PromptTokens: u.PromptTokens, CompletionTokens: u.CompletionTokens}
	}
	if a.size > m.cfg.MaxAnswer {
		return m.wire.malformed(fmt.Errorf("it is longer than %d bytes", m.cfg.MaxAnswer))
	}
	chunk, err := a.last()
	if err != nil {
		return m.wire.malformed(err)
	}
	chunk.Text = text
	if !send(chunk) {
		return errStopped
	}
	return nil
}
