// Package bert runs encoders of the BERT family.
package bert

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/llm/local/internal/kernel"
	"github.com/api-assistant/api-assistant/llm/local/internal/weights"
)

// Config is the shape of an encoder, as config.json names it.
type Config struct {
	Hidden      int     `json:"hidden_size"`
	Layers      int     `json:"num_hidden_layers"`
	Heads       int     `json:"num_attention_heads"`
	Inner       int     `json:"intermediate_size"`
	Positions   int     `json:"max_position_embeddings"`
	Vocabulary  int     `json:"vocab_size"`
	Epsilon     float32 `json:"layer_norm_eps"`
	Activation  string  `json:"hidden_act"`
	PositionsAs string  `json:"position_embedding_type"`
}

// ErrUnsupported means an architecture that this package does not run.
var ErrUnsupported = errors.New("unsupported architecture")

// check also bounds the sizes, so that their products do not overflow.
func (c Config) check() error {
	for _, f := range []struct {
		name       string
		value, top int
	}{
		{"hidden_size", c.Hidden, 1 << 14},
		{"num_hidden_layers", c.Layers, 256},
		{"num_attention_heads", c.Heads, 1024},
		{"intermediate_size", c.Inner, 1 << 16},
		{"max_position_embeddings", c.Positions, 1 << 16},
		{"vocab_size", c.Vocabulary, 1 << 22},
	} {
		if f.value < 1 || f.value > f.top {
			return fmt.Errorf("%s is %d; it must be between 1 and %d", f.name, f.value, f.top)
		}
	}
	if c.Hidden%c.Heads != 0 {
		return fmt.Errorf("hidden_size %d is no multiple of num_attention_heads %d", c.Hidden, c.Heads)
	}
	if !(c.Epsilon >= 0 && c.Epsilon < 1) {
		return fmt.Errorf("layer_norm_eps is %g; it must be between 0 and 1", c.Epsilon)
	}
	if c.PositionsAs != "" && c.PositionsAs != "absolute" {
		return fmt.Errorf("%w: position_embedding_type %q; only absolute is known", ErrUnsupported, c.PositionsAs)
	}
	if activations[c.Activation] == nil {
		return fmt.Errorf("%w: hidden_act %q", ErrUnsupported, c.Activation)
	}
	return nil
}

var activations = map[string]func([]float32){
	"":                  kernel.GELU,
	"gelu":              kernel.GELU,
	"gelu_new":          tanhGELU,
	"gelu_pytorch_tanh": tanhGELU,
	"relu":              relu,
}

func tanhGELU(x []float32) {
	for i, v := range x {
		z := float64(v)
		x[i] = float32(0.5 * z * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(z+0.044715*z*z*z))))
	}
}

func relu(x []float32) {
	for i, v := range x {
		x[i] = max(v, 0)
	}
}

// Encoder is a loaded network. It is safe for concurrent use.
type Encoder struct {
	config           Config
	activate         func([]float32)
	words, positions []float32 // a row of Hidden values for each
	norm             norm      // of their sum
	layers           []layer
}

type layer struct {
	attend    linear // to queries, keys and values, one after the other
	attended  linear
	afterward norm
	inner     linear
	outer     linear
	last      norm
}

// linear is x·weight + bias.
type linear struct {
	weight kernel.Panels
	bias   []float32
}

type norm struct{ gain, bias []float32 }

// Load reads an encoder. The names of the tensors may begin with "bert.".
func Load(set *weights.Set, c Config) (*Encoder, error) {
	if c.Epsilon == 0 {
		c.Epsilon = 1e-12
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	l := loader{set: set}
	for _, name := range set.Names() {
		if prefix, ok := strings.CutSuffix(name, "embeddings.word_embeddings.weight"); ok {
			l.prefix = prefix
		}
	}
	e := &Encoder{config: c, activate: activations[c.Activation]}
	h := c.Hidden
	e.words = l.tensor("embeddings.word_embeddings.weight", c.Vocabulary, h)
	e.positions = l.tensor("embeddings.position_embeddings.weight", c.Positions, h)
	// A text is of type 0, so that its type can be added once and for all.
	if types := l.tensor("embeddings.token_type_embeddings.weight", -1, h); len(types) >= h {
		for p := range c.Positions {
			kernel.AddTo(e.positions[p*h:][:h], types[:h])
		}
	} else if l.err == nil {
		l.err = errors.New("tensor \"embeddings.token_type_embeddings.weight\" is empty")
	}
	e.norm = l.norm("embeddings.LayerNorm", h)
	for i := 0; i < c.Layers && l.err == nil; i++ {
		at := fmt.Sprintf("encoder.layer.%d.", i)
		e.layers = append(e.layers, layer{
			attend:    l.linear(h, h, at+"attention.self.query", at+"attention.self.key", at+"attention.self.value"),
			attended:  l.linear(h, h, at+"attention.output.dense"),
			afterward: l.norm(at+"attention.output.LayerNorm", h),
			inner:     l.linear(c.Inner, h, at+"intermediate.dense"),
			outer:     l.linear(h, c.Inner, at+"output.dense"),
			last:      l.norm(at+"output.LayerNorm", h),
		})
	}
	return e, l.err
}

// loader reads tensors until one fails.
type loader struct {
	set     *weights.Set
	prefix  string
	scratch []float32 // for weights on their way into panels
	err     error
}

func (l *loader) tensor(name string, shape ...int) []float32 {
	return l.append(nil, name, shape...)
}

func (l *loader) append(dst []float32, name string, shape ...int) []float32 {
	if l.err == nil {
		dst, l.err = l.set.Append(dst, l.prefix+name, shape...)
	}
	return dst
}

// linear reads layers of the same input as one.
func (l *loader) linear(out, in int, names ...string) linear {
	weight, bias := l.scratch[:0], []float32(nil)
	for _, name := range names {
		weight = l.append(weight, name+".weight", out, in)
		bias = l.append(bias, name+".bias", out)
	}
	l.scratch = weight
	if l.err != nil {
		return linear{}
	}
	return linear{kernel.Pack(weight, len(names)*out, in), bias}
}

func (l *loader) norm(name string, n int) norm {
	return norm{l.tensor(name+".weight", n), l.tensor(name+".bias", n)}
}

// Config returns the shape of the encoder.
func (e *Encoder) Config() Config { return e.config }

// Space is the memory that a run works in. It grows as needed and is used by
// one run at a time.
type Space struct {
	states, attention, context, inner, outer, scores, keys []float32
}

func grow(buffer *[]float32, n int) []float32 {
	if cap(*buffer) < n {
		*buffer = make([]float32, n)
	}
	return (*buffer)[:n]
}

// Run computes the states of the tokens of some texts, Hidden values a token,
// the texts one after the other. The result is part of the space. Each text has
// between 1 and Positions ids, each less than Vocabulary.
func (e *Encoder) Run(ctx context.Context, space *Space, texts [][]int32) ([]float32, error) {
	tokens := 0
	for _, ids := range texts {
		if len(ids) < 1 || len(ids) > e.config.Positions {
			return nil, fmt.Errorf("a text of %d tokens; the model takes 1 to %d", len(ids), e.config.Positions)
		}
		for _, id := range ids {
			if id < 0 || int(id) >= e.config.Vocabulary {
				return nil, fmt.Errorf("token %d; the model has %d", id, e.config.Vocabulary)
			}
		}
		tokens += len(ids)
	}
	states := grow(&space.states, tokens*e.config.Hidden)
	e.embed(states, texts)
	for i := range e.layers {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		e.layer(&e.layers[i], space, states, texts, tokens)
	}
	return states, ctx.Err()
}

func (e *Encoder) embed(states []float32, texts [][]int32) {
	h := e.config.Hidden
	for _, ids := range texts {
		for p, id := range ids {
			copy(states[:h], e.words[int(id)*h:])
			kernel.AddNorm(states[:h], e.positions[p*h:][:h], e.norm.gain, e.norm.bias, e.config.Epsilon)
			states = states[h:]
		}
	}
}

func (e *Encoder) layer(l *layer, space *Space, states []float32, texts [][]int32, tokens int) {
	h, inner := e.config.Hidden, e.config.Inner
	// The values of the last head are read in whole panels, past their end.
	attention := grow(&space.attention, tokens*3*h+kernel.Columns)
	context := grow(&space.context, tokens*h)
	kernel.Mul(attention, 3*h, states, h, tokens, l.attend.weight, l.attend.bias)
	at := 0
	for _, ids := range texts {
		e.attend(space, context[at*h:], attention[at*3*h:], len(ids))
		at += len(ids)
	}
	out := grow(&space.outer, tokens*h)
	kernel.Mul(out, h, context, h, tokens, l.attended.weight, l.attended.bias)
	e.addNorm(states, out, l.afterward)

	wide := grow(&space.inner, tokens*inner)
	kernel.Mul(wide, inner, states, h, tokens, l.inner.weight, l.inner.bias)
	e.activate(wide)
	kernel.Mul(out, h, wide, inner, tokens, l.outer.weight, l.outer.bias)
	e.addNorm(states, out, l.last)
}

func (e *Encoder) addNorm(states, change []float32, n norm) {
	h := e.config.Hidden
	for at := 0; at < len(states); at += h {
		kernel.AddNorm(states[at:at+h], change[at:at+h], n.gain, n.bias, e.config.Epsilon)
	}
}

// attend mixes the values of one text of n tokens into context. A row of
// attention has the query, the key and the value of a token, for all heads.
func (e *Encoder) attend(space *Space, context, attention []float32, n int) {
	h := e.config.Hidden
	width := h / e.config.Heads
	scale := float32(1 / math.Sqrt(float64(width)))
	keys := grow(&space.keys, kernel.PackedLen(n, width))
	scores := grow(&space.scores, n*n)
	for at := 0; at < h; at += width {
		k := kernel.PackInto(keys, attention[h+at:], 3*h, n, width)
		kernel.Mul(scores, n, attention[at:], 3*h, n, k, nil)
		for row := range slices.Chunk(scores, n) {
			kernel.Softmax(row, scale)
		}
		v := kernel.Panels{Data: attention[2*h+at:], K: n, N: width, Step: kernel.Columns, Stride: 3 * h}
		kernel.Mul(context[at:], h, scores, n, n, v, nil)
	}
}
