package apispec

import (
	"cmp"
	"slices"
	"strings"
)

const maxNearest = 3

// nearest finds the operations most like a path that does not exist.
func (c *Catalog) nearest(method, path string) []*Operation {
	type near struct {
		operation *Operation
		score     float64
	}
	var best []near
	for _, base := range c.bases {
		rest, ok := strings.CutPrefix(path, base)
		if !ok {
			continue
		}
		given := split(rest)
		for _, ts := range c.byLength {
			for _, t := range ts {
				score := similarity(given, t.segments)
				if t.operation.Method == method {
					score += 0.1
				}
				best = append(best, near{t.operation, score})
			}
		}
	}
	slices.SortFunc(best, func(a, b near) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.operation.Path, b.operation.Path), cmp.Compare(a.operation.Method, b.operation.Method))
	})
	var out []*Operation
	for _, n := range best {
		if n.score < minSimilarity || len(out) == maxNearest {
			break
		}
		if !slices.Contains(out, n.operation) {
			out = append(out, n.operation)
		}
	}
	return out
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

// similarity is the share of segments in common when both paths are aligned as
// well as possible (the longest common subsequence with partial credit), from 0
// to 1.
func similarity(given []string, want []segment) float64 {
	if len(given) == 0 || len(want) == 0 {
		return 0
	}
	row := make([]float64, len(want)+1)
	for _, g := range given {
		var diagonal float64
		for j, w := range want {
			above := row[j+1]
			row[j+1] = max(above, row[j], diagonal+w.likeness(g))
			diagonal = above
		}
	}
	return row[len(want)] / float64(max(len(given), len(want)))
}

// likeness says how much a given segment is like one of a template.
func (s segment) likeness(given string) float64 {
	switch {
	case s.variable && isPlaceholder(given):
		return 0.9
	case s.variable:
		if s.accepts(given) {
			return 0.6
		}
		return 0
	case s.literal == given:
		return 1
	case isPlaceholder(given):
		return 0
	}
	return commonLetters(strings.ToLower(s.literal), strings.ToLower(given))
}

// commonLetters is the Dice coefficient of the letter pairs of two words, from 0
// to 1.
func commonLetters(a, b string) float64 {
	if len(a) < 2 || len(b) < 2 {
		return 0
	}
	pairs := make(map[string]int)
	for i := range len(a) - 1 {
		pairs[a[i:i+2]]++
	}
	common := 0
	for i := range len(b) - 1 {
		if p := b[i : i+2]; pairs[p] > 0 {
			pairs[p]--
			common++
		}
	}
	return 2 * float64(common) / float64(len(a)+len(b)-2)
}
