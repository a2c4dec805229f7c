package apispec

import (
	"cmp"
	"slices"
	"strings"
)

const maxNearest = 3

// nearest finds the operations most like a path that does not exist, and says how
// like the first is. It looks at every operation; what it costs are the
// comparisons of words, of which each pair is made once.
func (c *Catalog) nearest(method, path string) ([]*Operation, float64) {
	type near struct {
		operation *Operation
		score     float64
		likeness  float64
	}
	var best []near
	for _, base := range c.bases {
		rest, ok := strings.CutPrefix(path, base)
		if !ok {
			continue
		}
		given := newComparison(split(rest))
		for n, ts := range c.byLength {
			if len(given.segments) == 0 || float64(min(n, len(given.segments))) < minSimilarity*float64(max(n, len(given.segments))) {
				continue // cannot be like it
			}
			for _, t := range ts {
				likeness := given.similarity(t.segments)
				if likeness < minSimilarity-methodBonus {
					continue
				}
				score := likeness
				if t.operation.Method == method {
					score += methodBonus
				}
				best = append(best, near{t.operation, score, likeness})
			}
		}
	}
	slices.SortFunc(best, func(a, b near) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.operation.Path, b.operation.Path), cmp.Compare(a.operation.Method, b.operation.Method))
	})
	var out []*Operation
	likeness := 0.0
	for _, n := range best {
		if n.score < minSimilarity || len(out) == maxNearest {
			break
		}
		if !slices.Contains(out, n.operation) {
			out = append(out, n.operation)
		}
		likeness = max(likeness, n.likeness)
	}
	return out, likeness
}

// nearestField finds the fields of GraphQL whose names are most like one that does
// not exist.
func (c *Catalog) nearestField(kind, name string) []*Operation {
	type near struct {
		operation *Operation
		score     float64
	}
	var best []near
	for _, found := range c.fields {
		for _, o := range found {
			score := commonLetters(strings.ToLower(o.Path), strings.ToLower(name))
			if strings.EqualFold(o.Method, kind) {
				score += 0.1
			}
			if score >= minSimilarity {
				best = append(best, near{o, score})
			}
		}
	}
	slices.SortFunc(best, func(a, b near) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.operation.Path, b.operation.Path), cmp.Compare(a.operation.Method, b.operation.Method))
	})
	var out []*Operation
	for _, n := range best[:min(len(best), maxNearest)] {
		out = append(out, n.operation)
	}
	return out
}

// minSimilarity is below which an operation is no help.
const minSimilarity = 0.3

// methodBonus is what the right method is worth.
const methodBonus = 0.1

// comparison compares the segments of one path with many templates.
type comparison struct {
	segments []string
	holes    []bool // which are placeholders
	words    []map[string]float64
	row      []float64
}

func newComparison(segments []string) *comparison {
	segments = segments[:min(len(segments), 64)]
	c := &comparison{segments: segments, holes: make([]bool, len(segments)), words: make([]map[string]float64, len(segments))}
	for i, s := range segments {
		c.holes[i], c.words[i] = isPlaceholder(s), make(map[string]float64)
	}
	return c
}

// similarity is the share of segments in common when both paths are aligned as
// well as possible (the longest common subsequence with partial credit), from 0
// to 1.
func (c *comparison) similarity(want []segment) float64 {
	if len(c.segments) == 0 || len(want) == 0 {
		return 0
	}
	if cap(c.row) < len(want)+1 {
		c.row = make([]float64, len(want)+1)
	}
	row := c.row[:len(want)+1]
	clear(row)
	for i := range c.segments {
		var diagonal float64
		for j := range want {
			above := row[j+1]
			row[j+1] = max(above, row[j], diagonal+c.likeness(i, &want[j]))
			diagonal = above
		}
	}
	return row[len(want)] / float64(max(len(c.segments), len(want)))
}

// likeness says how much a given segment is like one of a template.
func (c *comparison) likeness(i int, s *segment) float64 {
	given := c.segments[i]
	switch {
	case s.variable && c.holes[i]:
		return 0.9
	case s.variable:
		if s.accepts(given) {
			return 0.6
		}
		return 0
	case s.literal == given:
		return 1
	case c.holes[i]:
		return 0
	}
	score, known := c.words[i][s.literal]
	if !known {
		score = commonLetters(strings.ToLower(s.literal), strings.ToLower(given))
		c.words[i][s.literal] = score
	}
	return score
}

// commonLetters is the Dice coefficient of the letter pairs of two words, from 0
// to 1.
func commonLetters(a, b string) float64 {
	if len(a) < 2 || len(b) < 2 {
		return 0
	}
	if len(a) > maxWord || len(b) > maxWord {
		return 0
	}
	var used [maxWord]bool
	common := 0
	for i := range len(b) - 1 {
		for j := range len(a) - 1 {
			if !used[j] && a[j] == b[i] && a[j+1] == b[i+1] {
				used[j] = true
				common++
				break
			}
		}
	}
	return 2 * float64(common) / float64(len(a)+len(b)-2)
}

// maxWord bounds the words that are compared letter by letter, in bytes.
const maxWord = 64
