package retriever

import (
	"cmp"
	"context"
	"math/bits"
	"slices"
	"sync"

	"github.com/api-assistant/api-assistant/bm25"
)

// Typos replaces words that no document contains by the most similar words that
// some do: at most one edit for words of four to seven letters, two for longer
// ones, neighbouring letters swapped counting as one (Damerau). A correction
// counts less than the word would, and words without one stay.
func Typos(c *Corpus, next Retriever) Retriever {
	return c.stage(func(ctx context.Context, q Query) (Result, error) {
		index, err := c.lexicalIndex(ctx)
		if err != nil {
			return Result{}, err
		}
		if q.Terms == nil {
			q.Terms = weigh(q, index.Analyze)
		}
		copied := false
		for i, t := range q.Terms {
			if t.Added || t.Weight < 1 || len(t.Text) < minTypo || index.DocFreq(t.Text) > 0 {
				continue
			}
			better := c.spelling.nearest(index, t.Text)
			if better.Text == "" {
				continue
			}
			if !copied {
				q.Terms, copied = slices.Clone(q.Terms), true
			}
			q.Terms[i] = better
		}
		return next.Retrieve(ctx, q)
	})
}

const (
	minTypo  = 4 // shorter words have too many neighbours
	longTypo = 8 // from here on, two edits
	maxTypo  = 40
)

// typoWeight is the weight of a correction, by the number of edits.
var typoWeight = [...]float64{1, 0.7, 0.5}

// spelling holds the vocabulary of an index in a form that is quick to search.
type spelling struct {
	mu      sync.Mutex
	index   *bm25.Index
	words   []string
	letters []uint64 // which letters a word has, by word
}

// nearest is the most similar term that some document contains; the more
// frequent one of two. Its Text is empty if there is none.
func (s *spelling) nearest(index *bm25.Index, word string) Term {
	if len(word) > maxTypo {
		return Term{}
	}
	edits := 1
	if len(word) >= longTypo {
		edits = 2
	}
	type candidate struct {
		word      string
		edits, df int
	}
	var best candidate
	known, letters := s.vocabulary(index)
	mine := lettersOf(word)
	for i, other := range known {
		// Each edit changes at most two letters of the set.
		if bits.OnesCount64(letters[i]^mine) > 2*edits || len(other)-len(word) > edits || len(word)-len(other) > edits || other[0] != word[0] {
			continue
		}
		d := distance(word, other, edits)
		if d > edits {
			continue
		}
		df := index.DocFreq(other)
		if df == 0 {
			continue
		}
		c := candidate{other, d, df}
		if best.word == "" || cmp.Or(cmp.Compare(c.edits, best.edits), cmp.Compare(best.df, c.df), cmp.Compare(c.word, best.word)) < 0 {
			best = c
		}
	}
	return Term{Text: best.word, Weight: typoWeight[best.edits]}
}

// vocabulary brings the copy up to date and returns it; the caller only reads.
func (s *spelling) vocabulary(index *bm25.Index) (known []string, letters []uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.index != index {
		s.index, s.words, s.letters = index, nil, nil
	}
	for _, w := range index.Vocabulary(len(s.words)) {
		s.words = append(s.words, w)
		s.letters = append(s.letters, lettersOf(w))
	}
	return s.words, s.letters
}

func lettersOf(word string) (set uint64) {
	for i := range len(word) {
		set |= 1 << (word[i] & 63)
	}
	return set
}

// distance is the number of edits between two words (optimal string alignment),
// or more than limit if it is more than that. Words are at most maxTypo+2 long.
func distance(a, b string, limit int) int {
	if len(b) > maxTypo+2 {
		return limit + 1
	}
	var rows [3][maxTypo + 3]int
	before, last, now := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		now[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(last[j]+1, now[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, before[j-2]+1)
			}
			now[j] = d
			least = min(least, d)
		}
		if least > limit {
			return limit + 1
		}
		before, last, now = last, now, before
	}
	return last[len(b)]
}
