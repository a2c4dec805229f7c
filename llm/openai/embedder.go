package openai

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/sashabaranov/go-openai"

	"github.com/api-assistant/api-assistant/llm"
)

// EmbedderConfig says which embedding model to use, and where.
type EmbedderConfig struct {
	Endpoint
	Model string // "text-embedding-3-small", say; must not be empty
	// Dimensions is the length that the vectors must have. 0: that of the first
	// answer.
	Dimensions int
	// Shorten asks the server for vectors of Dimensions. Only some models can do
	// it (text-embedding-3 and other Matryoshka models); others refuse it.
	Shorten bool
	// Batch is how many texts go into one request. 0 means DefaultBatch.
	Batch int
	// Name is the name of the embedder. Empty means provider and model,
	// "ollama/all-minilm" say, with "@" and Dimensions if Shorten is set.
	Name string
	// Timeout bounds one request: its FirstToken and its Total.
	Timeout llm.Timeout
}

// DefaultBatch is small enough for every server that is known.
const DefaultBatch = 32

// Embedder is an embedding model behind an endpoint. It is safe for concurrent
// use.
//
// The vectors are in the order of the texts, whatever the order of the answer,
// of one length, and normalised; an answer where that cannot be is
// llm.ErrMalformed. A text that the model finds too long is cut until it
// fits, which costs a request for each halving. A blank text, which servers
// refuse, is embedded as "(empty)".
type Embedder struct {
	cfg        EmbedderConfig
	wire       *wire
	client     *openai.Client
	timed      llm.Embedder
	dimensions atomic.Int64
}

// NewEmbedder returns an embedder. It makes no request; all mistakes in the
// configuration are reported at once.
func NewEmbedder(cfg EmbedderConfig) (*Embedder, error) {
	err := cfg.Endpoint.check()
	if cfg.Model == "" {
		err = errors.Join(err, errors.New("the name of the embedding model is missing"))
	}
	if cfg.Dimensions < 0 || cfg.Batch < 0 || cfg.Shorten && cfg.Dimensions == 0 {
		err = errors.Join(err, errors.New("Dimensions and Batch must not be negative, and Shorten needs Dimensions"))
	}
	if err != nil {
		return nil, fmt.Errorf("llm/openai: %w", err)
	}
	cfg.Batch = cmp.Or(cfg.Batch, DefaultBatch)
	if cfg.Name == "" {
		cfg.Name = cfg.provider() + "/" + cfg.Model
		if cfg.Shorten {
			cfg.Name += fmt.Sprintf("@%d", cfg.Dimensions)
		}
	}
	e := &Embedder{cfg: cfg}
	e.dimensions.Store(int64(cfg.Dimensions))
	e.wire, e.client = cfg.Endpoint.connect(1<<20 + cfg.Batch*maxVector)
	e.cfg.Endpoint = cfg.Endpoint.public()
	e.timed = cfg.Timeout.Embedder(request{e})
	return e, nil
}

// maxVector bounds a vector in an answer, in bytes: 8,192 numbers of 24 digits.
const maxVector = 8192 * 24

// String names the model and the endpoint, without credentials.
func (e *Embedder) String() string { return e.cfg.Model + " of " + e.cfg.Endpoint.String() }

// Format is String, for every verb: fmt would find the key in the fields.
func (e *Embedder) Format(f fmt.State, _ rune) { io.WriteString(f, e.String()) }

// LogValue is String.
func (e *Embedder) LogValue() slog.Value { return slog.StringValue(e.String()) }

// Dimensions implements llm.Embedder.
func (e *Embedder) Dimensions() int { return int(e.dimensions.Load()) }

// Name implements llm.Embedder.
func (e *Embedder) Name() string { return e.cfg.Name }

// Embed implements llm.Embedder.
func (e *Embedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := make([][]float32, 0, len(texts))
	for len(texts) > 0 {
		batch := texts[:min(e.cfg.Batch, len(texts))]
		texts = texts[len(batch):]
		vectors, err := e.fit(ctx, batch)
		if err != nil {
			return nil, err
		}
		out = append(out, vectors...)
	}
	return out, nil
}

// minCut is the size of a text in bytes at which cutting it further is given up.
const minCut = 64

// fit embeds a batch. One text that is too long fails all, so the batch is
// halved until that text is alone, and then the text.
func (e *Embedder) fit(ctx context.Context, texts []string) ([][]float32, error) {
	vectors, err := e.timed.Embed(ctx, texts)
	if err == nil || !errors.Is(err, llm.ErrContextWindow) {
		return vectors, err
	}
	half := len(texts) / 2
	if half == 0 {
		if len(texts[0]) < minCut {
			return nil, err
		}
		return e.fit(ctx, []string{firstHalf(texts[0])})
	}
	first, err := e.fit(ctx, texts[:half])
	if err != nil {
		return nil, err
	}
	second, err := e.fit(ctx, texts[half:])
	return append(first, second...), err
}

func firstHalf(text string) string {
	cut := len(text) / 2
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut]
}

// request is the embedder that makes one request.
type request struct{ *Embedder }

func (r request) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	in := openai.EmbeddingRequest{Model: openai.EmbeddingModel(r.cfg.Model), Input: spoken(texts)}
	if r.cfg.Shorten {
		in.Dimensions = r.cfg.Dimensions
	}
	resp, err := r.client.CreateEmbeddings(ctx, in)
	if err != nil {
		return nil, r.wire.explain(ctx, err)
	}
	vectors, err := inOrder(resp.Data, len(texts))
	if err == nil {
		err = r.check(vectors)
	}
	if err != nil {
		return nil, r.wire.malformed(err)
	}
	return vectors, nil
}

// spoken puts a word in the place of blank texts.
func spoken(texts []string) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		if out[i] = t; strings.Trim(t, " \t\r\n\x00") == "" {
			out[i] = "(empty)"
		}
	}
	return out
}

// inOrder sorts the vectors by their index. A server that numbers none of them
// keeps the order of the texts.
func inOrder(data []openai.Embedding, n int) ([][]float32, error) {
	if len(data) != n {
		return nil, fmt.Errorf("it has %d vectors for %d texts", len(data), n)
	}
	numbered := false
	for _, d := range data {
		numbered = numbered || d.Index != 0
	}
	out := make([][]float32, n)
	for i, d := range data {
		if numbered {
			i = d.Index
		}
		if i < 0 || i >= n || out[i] != nil {
			return nil, fmt.Errorf("it has no vector, or two, for some text: index %d of %d", d.Index, n)
		}
		if out[i] = d.Embedding; len(d.Embedding) == 0 {
			return nil, fmt.Errorf("vector %d is empty", i)
		}
	}
	return out, nil
}

// check checks the length of the vectors and normalises them.
func (e *Embedder) check(vectors [][]float32) error {
	want := e.Dimensions()
	for i, v := range vectors {
		if want = cmp.Or(want, len(v)); len(v) != want {
			return fmt.Errorf("vector %d has %d dimensions, not %d", i, len(v), want)
		}
		var sum float64
		for _, x := range v {
			sum += float64(x) * float64(x)
		}
		norm := math.Sqrt(sum)
		if norm == 0 || math.IsInf(norm, 0) || math.IsNaN(norm) {
			return fmt.Errorf("vector %d has no direction", i)
		}
		for j, x := range v {
			v[j] = float32(float64(x) / norm)
		}
	}
	e.dimensions.CompareAndSwap(0, int64(want))
	return nil
}
