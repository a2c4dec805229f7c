package retriever

import (
	"context"
	"regexp"
	"slices"
)

// Weights of the expansion.
const (
	dependTop    = 10   // hits whose needs are looked at
	dependShare  = 0.9  // what a producer scores, as a share of the hit that needs it
	dependNamed  = 1.05 // the same where the question names a thing: it is looked up first
	dependRepeat = 0.3  // what the producer's own score counts beside that, where a thing is named
	dependFit    = 1    // what it counts that a producer finds by name what has a name, or lists what has none
)

// Dependencies pulls up the operations that yield an identifier which one of the
// first hits needs and the question does not give: "the credits of Titanic" needs
// a movie_id, which GET /search/movie finds. A thing that the question names is
// looked up; one that it describes ("the most popular") comes from a list. Only
// operations that need no identifier themselves are pulled up.
func Dependencies(c *Corpus, next Retriever) Retriever {
	return c.stage(func(ctx context.Context, q Query) (Result, error) {
		wide := q
		wide.K = min(MaxK, max(rerankPool, q.K))
		out, err := next.Retrieve(ctx, wide)
		if err != nil {
			return out, err
		}
		if !q.several && len(out.Hits) > 0 && !givesIdentifier.MatchString(q.Text) {
			keep, err := c.kept(ctx, q)
			if err != nil {
				return Result{}, err
			}
			out.Hits = c.pullUp(out.Hits, namesThing.MatchString(q.Text), keep)
		}
		out.Hits = out.Hits[:min(len(out.Hits), q.K)]
		return out, nil
	})
}

var (
	// givesIdentifier matches questions that bring the identifier along.
	givesIdentifier = regexp.MustCompile(`(?i)\bids?\b|\b(?:identifier|identified|uuid|slug)\b|\b[a-z]*\d{3,}[a-z0-9]*\b`)
	// namesThing matches a name inside a sentence, or in quotes.
	namesThing = regexp.MustCompile(`[\p{Ll},:] ["“']?[\p{Lu}0-9]\p{L}+|["“][^"”]+["”]`)
)

// pullUp adds the producers of what the first hits need.
func (c *Corpus) pullUp(hits []Hit, named bool, keep func(id string) bool) []Hit {
	c.indexMu.RLock()
	defer c.indexMu.RUnlock()
	var (
		best  = hits[0].Score
		share = dependShare
		own   = make(map[string]float64, len(hits))
		pull  = make(map[string]float64)
	)
	if named {
		share = dependNamed
	}
	for _, h := range hits {
		own[h.ID] = h.Score
	}
	for _, h := range hits[:min(dependTop, len(hits))] {
		needy := c.cards.byID[h.ID]
		for _, thing := range needy.needs {
			if id := c.producer(h.ID, needy.source, thing, named, own, best, keep); id != "" {
				pull[id] = max(pull[id], share*h.Score)
			}
		}
	}
	if len(pull) == 0 {
		return hits
	}
	for i, h := range hits {
		if v, ok := pull[h.ID]; ok {
			hits[i].Score = max(v, h.Score)
			if named {
				hits[i].Score += dependRepeat * min(v, h.Score)
			}
			hits[i].Signals["needed"] = v
			delete(pull, h.ID)
		}
	}
	for id, v := range pull {
		hits = append(hits, Hit{Score: v, Signals: Signals{"needed": v}})
		hits[len(hits)-1].ID = id
	}
	sortHits(hits)
	scale(hits, best)
	return hits
}

// producer chooses among the operations of a source that yield a thing.
func (c *Corpus) producer(needy, source string, thing term, named bool, own map[string]float64, best float64, keep func(string) bool) string {
	var (
		chosen string
		fit    = -1.0
	)
	for _, id := range c.cards.yield[source][thing] {
		k := c.cards.byID[id]
		if id == needy || len(k.needs) > 0 || keep != nil && !keep(id) {
			continue
		}
		v := own[id] / best
		if k.looksUp == named {
			v += dependFit
		}
		if v > fit || v == fit && id < chosen {
			chosen, fit = id, v
		}
	}
	return chosen
}

func contains(sorted []term, t term) bool {
	_, ok := slices.BinarySearch(sorted, t)
	return ok
}
