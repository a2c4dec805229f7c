// Package local runs embedding models in process: sentence-transformers folders
// of the BERT family (all-MiniLM, bge, e5, gte) and static embeddings (model2vec).
// It is Go, with assembly for amd64; there is no cgo and no server.
//
//	model, err := local.Open("models/all-MiniLM-L6-v2", local.Options{})
//	vectors, err := model.Embed(ctx, []string{"How do I list orders?"})
//
// A folder holds what the hub has of such a model: config.json, tokenizer.json or
// vocab.txt, and the weights as model.safetensors or model.onnx; where they are
// there, modules.json, the pooling's config.json and sentence_bert_config.json
// count too. Weights are computed with as float32, whatever the file has.
//
// The vector of a text does not depend on the texts that it is embedded with, nor
// on the number of workers. Processors with and without AVX2 agree within
// rounding.
//
// The price: all-MiniLM-L6-v2 takes 110 MB of memory and some milliseconds for a
// question. Models with other tokenizers than WordPiece (multilingual ones, as a
// rule), quantized weights and ONNX files that were optimized into one vendor's
// operators are refused with ErrUnsupported.
package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"

	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/local/internal/wordpiece"
)

// The kinds of failure, to be tested with errors.Is. A missing file is
// fs.ErrNotExist.
var (
	// ErrFormat means that a file of the folder is damaged, or that two do not fit
	// together.
	ErrFormat = errors.New("the model is damaged")
	// ErrUnsupported means a model that this package cannot run.
	ErrUnsupported = errors.New("the model is of an unsupported kind")
	// ErrNotFinite means that the model's weights led to no vector for a text.
	ErrNotFinite = errors.New("the vector is not finite or has no length")
)

// Error is a failure to open a model.
type Error struct {
	File  string // the file, or the folder
	Kind  error  // ErrFormat or ErrUnsupported; nil if reading failed
	Cause error
}

func (e *Error) Error() string {
	if e.Kind == nil {
		return fmt.Sprintf("local: %s: %v", e.File, e.Cause)
	}
	return fmt.Sprintf("local: %s: %v: %v", e.File, e.Kind, e.Cause)
}

// Unwrap returns Kind and Cause.
func (e *Error) Unwrap() []error {
	if e.Kind == nil {
		return []error{e.Cause}
	}
	return []error{e.Kind, e.Cause}
}

// Options of a model. The zero value takes everything from the folder.
type Options struct {
	// MaxTokens is the number of tokens at which a text is cut off, [CLS] and
	// [SEP] counted. 0 is what the folder says; more than that is refused if the
	// model has no positions for it.
	MaxTokens int
	// Workers bounds the threads that compute, over all calls at a time. 0 is
	// GOMAXPROCS.
	Workers int
	// Prefix comes before each text; e5 wants "passage: ", say. Empty is the
	// default prompt of the folder, if it has one. See WithPrefix.
	Prefix string
	// Name is what Model.Name returns. Empty is a name with a hash of the
	// folder's files, so that other weights have another name.
	Name string
}

// Model is an embedding model. It implements llm.Embedder, is safe for
// concurrent use and holds no file open; there is nothing to close.
type Model struct {
	network   network
	tokenizer *wordpiece.Tokenizer
	maxTokens int
	prefix    string
	name      string
	spaces    chan *space // one for each worker
}

var _ llm.Embedder = (*Model)(nil)

// network turns token ids into vectors.
type network interface {
	// embed computes the vector of each text into out, which has a slice of
	// dimensions() values for each.
	embed(ctx context.Context, space *space, texts [][]int32, out [][]float32) error
	dimensions() int
	// encode is how the network wants a text.
	encode(t *wordpiece.Tokenizer, text string, limit int) []int32
}

// Open loads the model of a folder. The error is an *Error.
func Open(dir string, o Options) (*Model, error) {
	if o.MaxTokens < 0 || o.Workers < 0 {
		return nil, fmt.Errorf("local: %d tokens and %d workers: neither can be negative", o.MaxTokens, o.Workers)
	}
	f, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	m, err := f.load(o)
	if err != nil {
		return nil, err
	}
	m.prefix = cmp.Or(o.Prefix, m.prefix)
	m.name = cmp.Or(o.Name, m.name)
	workers := cmp.Or(o.Workers, runtime.GOMAXPROCS(0))
	m.spaces = make(chan *space, workers)
	for range workers {
		m.spaces <- new(space)
	}
	return m, nil
}

// WithPrefix returns the model with another prefix before each text; the two
// share weights and workers. e5 and bge put one before questions only, and this
// is the embedder for these. Its name says so.
func (m *Model) WithPrefix(prefix string) *Model {
	other := *m
	other.prefix = prefix
	other.name = fmt.Sprintf("%s+%q", m.name, prefix)
	return &other
}

// Dimensions implements llm.Embedder.
func (m *Model) Dimensions() int { return m.network.dimensions() }

// Name implements llm.Embedder.
func (m *Model) Name() string { return m.name }

// MaxTokens is the number of tokens at which a text is cut off.
func (m *Model) MaxTokens() int { return m.maxTokens }

// Tokens returns the token ids that the model sees of a text.
func (m *Model) Tokens(text string) []int32 {
	return m.network.encode(m.tokenizer, m.prefix+text, m.maxTokens)
}

// unit scales x to length 1.
func unit(x []float32) error {
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return ErrNotFinite
	}
	factor := 1 / math.Sqrt(sum)
	for i, v := range x {
		x[i] = float32(float64(v) * factor)
	}
	return nil
}
