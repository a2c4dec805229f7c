package bm25

// Hit is a document that matches a query.
type Hit struct {
	ID    string
	Score float64 // greater than 0
}

// Term is an analysed term with its weight in a query.
type Term struct {
	Text   string  // as the analyser gives it
	Weight float64 // 1 is that of a word of the query; at most 100
}

// SearchOption configures one search.
type SearchOption func(*filter)

// filter says which documents a search may return.
type filter struct {
	where func(id string) bool
}

// Where restricts a search to the documents for which keep returns true. It is
// asked during the evaluation, only about documents that would make it into the
// result, so the k best of those kept are returned.
func Where(keep func(id string) bool) SearchOption {
	return func(f *filter) { f.where = keep }
}

// maxTerms is how many distinct terms of a query are used; the rest is ignored.
const maxTerms = 1024

// maxTermWeight bounds the weight of one term of a query.
const maxTermWeight = 100

// Search returns the k documents that score best, best first, ties by ID. Only
// documents that contain at least one term of the query are returned. k <= 0
// returns nothing.
func (x *Index) Search(query string, k int, opts ...SearchOption) []Hit {
	if k <= 0 {
		return nil
	}
	snapshot := x.current()
	s := x.scratch.Get().(*scratch)
	defer x.scratch.Put(s)
	s.start(k, opts)
	x.analyzer.Tokens(query, s.emit)
	return s.search(snapshot)
}

// SearchTerms is Search for terms that are analysed already, each with a weight
// of its own: synonyms, corrections, the clauses of a question. Terms whose
// weight is not positive are ignored; weights of equal terms add up.
func (x *Index) SearchTerms(terms []Term, k int, opts ...SearchOption) []Hit {
	if k <= 0 {
		return nil
	}
	snapshot := x.current()
	s := x.scratch.Get().(*scratch)
	defer x.scratch.Put(s)
	s.start(k, opts)
	for _, t := range terms {
		if number, ok := x.dict.find([]byte(t.Text)); ok && t.Weight > 0 {
			s.want(number, min(t.Weight, maxTermWeight))
		}
	}
	return s.search(snapshot)
}

// Analyze returns the terms of a text, as the index sees them.
func (x *Index) Analyze(text string) []string {
	var terms []string
	x.analyzer.Tokens(text, func(token []byte) { terms = append(terms, string(token)) })
	return terms
}

// DocFreq returns how many documents contain a term (as Analyze gives it).
func (x *Index) DocFreq(term string) int {
	snapshot := x.current()
	number, ok := x.dict.find([]byte(term))
	if !ok {
		return 0
	}
	df := 0
	for _, v := range snapshot.views {
		if slot, ok := v.terms.slot(number); ok {
			df += v.documents(slot)
		}
	}
	return df
}

// IDF returns the inverse document frequency of a term (as Analyze gives it);
// that of a term that no document contains is the greatest.
func (x *Index) IDF(term string) float64 {
	return idf(x.current().docs, x.DocFreq(term))
}

// Vocabulary returns the terms that were ever indexed, from the given number on,
// in the order of their first appearance; it only grows, so that a caller who has
// seen n terms asks for those from n on. Terms of removed documents stay: DocFreq
// says whether a term is in use.
func (x *Index) Vocabulary(from int) []string {
	x.current()
	n := int(x.dict.size.Load())
	if from >= n {
		return nil
	}
	out := make([]string, 0, n-from)
	for number := max(from, 0); number < n; number++ {
		out = append(out, x.dict.term(uint32(number)))
	}
	return out
}
