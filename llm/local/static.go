package local

import (
	"context"
	"fmt"

	"github.com/api-assistant/api-assistant/llm/local/internal/kernel"
	"github.com/api-assistant/api-assistant/llm/local/internal/weights"
	"github.com/api-assistant/api-assistant/llm/local/internal/wordpiece"
)

// static is a table of vectors, one for each token; a text's vector is their
// mean.
type static struct {
	rows  []float32 // size of them
	size  int
	width int
	row   []int32   // the row of a token; nil: its id
	share []float32 // how much a token counts; nil: all the same
	// pieces says that texts come without what the tokenizer puts around them and
	// without unknown tokens, as model2vec has it.
	pieces bool
}

// loadStatic reads the tables of model2vec and of sentence-transformers.
func loadStatic(set *weights.Set) (*static, error) {
	s := &static{}
	name := "embedding.weight" // sentence-transformers
	if set.Shape("embeddings") != nil {
		name, s.pieces = "embeddings", true
	}
	shape := set.Shape(name)
	if len(shape) != 2 || shape[0] < 1 || shape[1] < 1 {
		return nil, fmt.Errorf("there is no table of vectors, \"embeddings\" or \"embedding.weight\"; the tensors are %.10q", set.Names())
	}
	s.size, s.width = shape[0], shape[1]
	var err error
	if s.rows, err = set.Read(name, s.size, s.width); err != nil {
		return nil, err
	}
	if set.Shape("weights") != nil {
		if s.share, err = set.Read("weights", -1); err != nil {
			return nil, err
		}
	}
	if set.Shape("mapping") != nil {
		rows, err := set.Read("mapping", -1)
		if err != nil {
			return nil, err
		}
		s.row = make([]int32, len(rows))
		for i, row := range rows {
			if s.row[i] = int32(row); s.row[i] < 0 || int(s.row[i]) >= s.size {
				return nil, fmt.Errorf("the mapping of token %d is row %g; there are %d", i, row, s.size)
			}
		}
	}
	return s, nil
}

// tokens is the number of tokens that have a vector.
func (s *static) tokens() int {
	n := s.size
	if s.row != nil {
		n = len(s.row)
	}
	if s.share != nil {
		n = min(n, len(s.share))
	}
	return n
}

func (s *static) dimensions() int { return s.width }

func (s *static) encode(t *wordpiece.Tokenizer, text string, limit int) []int32 {
	if !s.pieces {
		return t.Encode(text, limit)
	}
	ids := t.Pieces(text, limit)
	known := ids[:0]
	for _, id := range ids {
		if id != t.Unknown() {
			known = append(known, id)
		}
	}
	return known
}

// embed adds the vectors of the tokens. A text without tokens gets a fixed
// vector: the reference's, all zeros, has no direction.
func (s *static) embed(ctx context.Context, _ *space, texts [][]int32, out [][]float32) error {
	scaled := make([]float32, s.width)
	for i, ids := range texts {
		if len(ids) == 0 {
			out[i][0] = 1
		}
		for _, id := range ids {
			row := id
			if s.row != nil {
				row = s.row[id]
			}
			vector := s.rows[int(row)*s.width:][:s.width]
			if s.share != nil {
				for j, v := range vector {
					scaled[j] = v * s.share[id]
				}
				vector = scaled
			}
			kernel.AddTo(out[i], vector)
		}
	}
	return ctx.Err()
}
