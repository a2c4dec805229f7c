// Package wordpiece cuts text into the tokens of a BERT model, with the same
// result as the Hugging Face tokenizers library gives for BertNormalizer,
// BertPreTokenizer and WordPiece.
package wordpiece

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrUnsupported means that the tokenizer is of another kind.
var ErrUnsupported = errors.New("unsupported tokenizer")

// Tokenizer turns text into token ids. It is safe for concurrent use.
type Tokenizer struct {
	normalizer     normalizer
	first, inner   map[string]int32 // pieces that begin a word, and those that go on
	longest        int              // bytes of the longest piece
	unknown        int32
	maxWord        int // characters of a word; a longer one is unknown
	added          addedTokens
	prefix, suffix []int32 // around a text: [CLS] and [SEP]
	size           int
}

// Size is one more than the largest id.
func (t *Tokenizer) Size() int { return t.size }

// Unknown is the id for what the vocabulary does not have.
func (t *Tokenizer) Unknown() int32 { return t.unknown }

// Frame is how many ids Encode puts around those of the text.
func (t *Tokenizer) Frame() int { return len(t.prefix) + len(t.suffix) }

// Encode returns the ids of text with those that the model wants around it,
// [CLS] and [SEP]. The text is cut so that there are at most limit ids, and at
// least the ones around it.
func (t *Tokenizer) Encode(text string, limit int) []int32 {
	ids := append(make([]int32, 0, 32), t.prefix...)
	ids = t.appendPieces(ids, text, max(limit-len(t.suffix), len(ids)))
	return append(ids, t.suffix...)
}

// Pieces returns the first limit ids of text alone.
func (t *Tokenizer) Pieces(text string, limit int) []int32 {
	return t.appendPieces(nil, text, limit)
}

// appendPieces appends the ids of text until there are limit of them.
func (t *Tokenizer) appendPieces(ids []int32, text string, limit int) []int32 {
	w := words{normalizer: t.normalizer, found: func(word []byte) bool {
		ids = t.appendWord(ids, word)
		return len(ids) < limit
	}}
	for len(text) > 0 && len(ids) < limit {
		start, end, id := t.added.next(text)
		w.split(text[:start])
		if end > start && len(ids) < limit {
			ids = append(ids, id)
		}
		text = text[end:]
	}
	return ids[:min(limit, len(ids))]
}

// appendWord appends the pieces of a word: the longest that the vocabulary has,
// from the left. A word that cannot be cut so is unknown as a whole.
func (t *Tokenizer) appendWord(ids []int32, word []byte) []int32 {
	if len(word) > t.maxWord && utf8.RuneCount(word) > t.maxWord {
		return append(ids, t.unknown)
	}
	whole := len(ids)
	vocabulary := t.first
	for start := 0; start < len(word); vocabulary = t.inner {
		end := min(len(word), start+t.longest)
		for ; end > start; end-- {
			if id, ok := vocabulary[string(word[start:end])]; ok {
				ids = append(ids, id)
				break
			}
		}
		if end == start {
			return append(ids[:whole], t.unknown)
		}
		start = end
	}
	return ids
}

// settings is what a tokenizer is built from.
type settings struct {
	vocabulary map[string]int32
	mark       string // before a piece that goes on: "##"
	unknown    string
	maxWord    int
	normalizer normalizer
	added      []addedToken
}

// maxID bounds the ids, so that nothing is sized by a mistaken one.
const maxID = 1 << 24

func build(s settings) (*Tokenizer, error) {
	t := &Tokenizer{
		normalizer: s.normalizer,
		first:      make(map[string]int32, len(s.vocabulary)),
		inner:      make(map[string]int32),
		maxWord:    s.maxWord,
		added:      newAddedTokens(s.added),
	}
	for piece, id := range s.vocabulary {
		if id < 0 || id >= maxID {
			return nil, fmt.Errorf("the id %d of %q is out of range", id, piece)
		}
		t.size = max(t.size, int(id)+1)
		t.longest = max(t.longest, len(piece))
		rest, goesOn := strings.CutPrefix(piece, s.mark)
		if goesOn {
			t.inner[rest] = id
		}
		if !goesOn || s.mark == "" {
			t.first[piece] = id
		}
	}
	for _, a := range s.added {
		if a.ID < 0 || a.ID >= maxID {
			return nil, fmt.Errorf("the id %d of %q is out of range", a.ID, a.Content)
		}
		t.size = max(t.size, int(a.ID)+1)
	}
	var ok bool
	if t.unknown, ok = s.vocabulary[s.unknown]; !ok {
		return nil, fmt.Errorf("the vocabulary of %d pieces has no %q, the token for unknown words", len(s.vocabulary), s.unknown)
	}
	return t, nil
}
