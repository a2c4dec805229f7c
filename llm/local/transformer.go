package local

import (
	"context"

	"github.com/api-assistant/api-assistant/llm/local/internal/bert"
	"github.com/api-assistant/api-assistant/llm/local/internal/kernel"
	"github.com/api-assistant/api-assistant/llm/local/internal/wordpiece"
)

// pooling makes one vector of the states of a text's tokens.
type pooling int

const (
	poolMean pooling = iota
	poolFirst
	poolMax
)

// transformer is a network of the BERT family.
type transformer struct {
	encoder *bert.Encoder
	pooling pooling
}

func (t *transformer) dimensions() int { return t.encoder.Config().Hidden }

func (t *transformer) encode(w *wordpiece.Tokenizer, text string, limit int) []int32 {
	return w.Encode(text, limit)
}

func (t *transformer) embed(ctx context.Context, s *space, texts [][]int32, out [][]float32) error {
	states, err := t.encoder.Run(ctx, &s.bert, texts)
	if err != nil {
		return err
	}
	n := t.dimensions()
	for i, ids := range texts {
		t.pooling.pool(out[i], states[:len(ids)*n])
		states = states[len(ids)*n:]
	}
	return nil
}

// pool computes a vector from states, one or more of its length. Means are not
// divided by their number: vectors are scaled to unit length afterwards.
func (p pooling) pool(out, states []float32) {
	n := len(out)
	copy(out, states)
	for at := n; at < len(states) && p != poolFirst; at += n {
		state := states[at : at+n]
		if p == poolMean {
			kernel.AddTo(out, state)
			continue
		}
		for i, v := range state {
			out[i] = max(out[i], v)
		}
	}
}
