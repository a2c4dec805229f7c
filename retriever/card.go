package retriever

import (
	"hash/fnv"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// card is what reranking and expansion know of a document. It is derived from
// the document, and in memory for all of them: a search looks at many more
// documents than it returns. Terms are hashed, since they are only compared.
type card struct {
	source    string
	operation bool
	partOfAPI bool   // a schema or the summary of an API: rarely what is looked for
	method    string // GET, POST …; empty for what is no operation
	path      []term // of the literal segments, each once
	title     []term // of the summary, or of what stands for it, each once
	pairs     []term // of neighbouring terms in what names the document, sorted
	needs     []term // things whose identifiers a request must carry
	yields    []term // things whose identifiers a response carries
	looksUp   bool   // finds things by their name
}

// term is the hash of an analysed word.
type term uint32

func hashTerm(s string) term {
	h := fnv.New32a()
	h.Write([]byte(s))
	return term(h.Sum32())
}

// pair is the hash of two neighbouring terms.
func pair(a, b term) term { return a*0x9E3779B1 ^ b }

// lookUpParameter is a parameter that asks for things by name, as a line of a
// document.
var lookUpParameter = regexp.MustCompile(`(?m)^- query (?:q|query|search|name|keyword|term)\b`)

// lookUpWord is a word of a path or operation id that does.
var lookUpWord = regexp.MustCompile(`(?i)search|find|look_?up`)

// newCard derives the card of a document.
func newCard(d vectorstore.Document, analyze func(string) []string) card {
	terms := func(text string) []term {
		words := analyze(text)
		out := make([]term, len(words))
		for i, w := range words {
			out[i] = hashTerm(w)
		}
		return out
	}
	c := card{source: d.Source}
	path, _ := d.Metadata["path"].(string)
	endpoint, _ := d.Metadata["endpoint"].(string)
	title := text(d.Metadata["summary"])
	id := text(d.Metadata["operation_id"])
	if endpoint == "" {
		title = text(d.Metadata["title"])
		kind := d.Metadata["content_type"]
		c.partOfAPI = kind == "schema" || kind == "api_summary"
		c.title = each(terms(title))
		c.pairs = pairsOf(terms(title))
		return c
	}
	c.operation = true
	c.method, _ = d.Metadata["method"].(string)
	s := sectionsOf(d.Content)
	if title == "" {
		title, _, _ = strings.Cut(s.description, ".")
	}
	if title == "" {
		title = id
	}
	c.path = each(terms(literals(path)))
	c.title = each(terms(title))
	c.pairs = pairsOf(terms(path), terms(text(d.Metadata["summary"])), terms(s.description), terms(id))
	for _, thing := range listOf(d.Metadata["needs"]) {
		c.needs = append(c.needs, terms(thing)...)
	}
	for _, thing := range listOf(d.Metadata["yields"]) {
		c.yields = append(c.yields, terms(thing)...)
	}
	c.needs, c.yields = each(c.needs), each(c.yields)
	c.looksUp = lookUpWord.MatchString(endpoint) || lookUpWord.MatchString(id) || lookUpParameter.MatchString(s.needs)
	return c
}

// literals are the segments of a path that are no variables.
func literals(path string) string {
	var out []string
	for segment := range strings.SplitSeq(path, "/") {
		if !strings.Contains(segment, "{") {
			out = append(out, segment)
		}
	}
	return strings.Join(out, " ")
}

// each sorts terms and keeps one of each.
func each(terms []term) []term {
	slices.Sort(terms)
	return slices.Clip(slices.Compact(terms))
}

// maxPairs bounds the pairs of a card: names are short, descriptions may be
// whole manuals.
const maxPairs = 200

func pairsOf(texts ...[]term) []term {
	var out []term
	for _, terms := range texts {
		for i := 1; i < len(terms) && len(out) < maxPairs; i++ {
			out = append(out, pair(terms[i-1], terms[i]))
		}
	}
	return each(out)
}

// cards are the cards of a corpus, and what they say together.
type cards struct {
	byID  map[string]card
	named map[term]int                 // how many cards have the term in path or title
	yield map[string]map[term][]string // ids by source and by the thing that they yield
}

func newCards() *cards {
	return &cards{byID: map[string]card{}, named: map[term]int{}, yield: map[string]map[term][]string{}}
}

func (c *cards) add(id string, k card) {
	c.remove(id)
	c.byID[id] = k
	c.count(k, 1)
	for _, thing := range k.yields {
		things := c.yield[k.source]
		if things == nil {
			things = map[term][]string{}
			c.yield[k.source] = things
		}
		things[thing] = append(things[thing], id)
	}
}

func (c *cards) remove(id string) {
	k, ok := c.byID[id]
	if !ok {
		return
	}
	delete(c.byID, id)
	c.count(k, -1)
	for _, thing := range k.yields {
		things := c.yield[k.source]
		if ids := slices.DeleteFunc(things[thing], func(other string) bool { return other == id }); len(ids) > 0 {
			things[thing] = ids
		} else if delete(things, thing); len(things) == 0 {
			delete(c.yield, k.source)
		}
	}
}

// count adds a card's names to the statistics, or takes them out.
func (c *cards) count(k card, by int) {
	for _, terms := range [][]term{k.path, k.title} {
		for _, t := range terms {
			if c.named[t] += by; c.named[t] == 0 {
				delete(c.named, t)
			}
		}
	}
}

// idf is how much a name says, by the formula of BM25.
func (c *cards) idf(t term) float64 {
	n, df := float64(len(c.byID)), float64(min(c.named[t], len(c.byID)))
	return math.Log1p((n - df + 0.5) / (df + 0.5))
}

// covered is the share of the terms' information that a question names, 0 to 1.
func (c *cards) covered(terms []term, question map[term]float64) float64 {
	var hit, all float64
	for _, t := range terms {
		idf := c.idf(t)
		all += idf
		hit += idf * min(1, question[t])
	}
	if all == 0 {
		return 0
	}
	return hit / all
}
