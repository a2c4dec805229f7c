package assistant

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/api-assistant/api-assistant/assistant/codegen"
	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/retriever"
)

const (
	// minFragment is the smallest piece of a document worth sending, in tokens.
	minFragment = 100
	// cutNote ends a document that was cut.
	cutNote = "\n(The document goes on; the rest is left out here.)"
	// passageOverhead is what the marks around a passage cost, in tokens.
	passageOverhead = 40
)

// packed is what an answer is made from: each source with its passage, in the
// order of their numbers.
type packed struct {
	passages []llm.Passage
	sources  []Citation
	code     []codegen.Snippet // what fits of the code of the answer
}

// pack chooses what fits into a budget of tokens. Code may take half of it. Whole documents come first, in
// the order of their rank; what is left goes to the beginning of the best one
// that did not fit. The best document is always there, if need be cut. Documents
// with the same content count once. Numbers follow the rank.
func pack(hits []found, code []codegen.Snippet, tokens int) packed {
	out := packed{sources: []Citation{}} // never nil, so that the event of no sources is one
	for spent, i := 0, 0; i < len(code); i++ {
		if spent += Tokens(code[i].Source) + passageOverhead; spent > tokens/2 {
			break
		}
		out.code = code[:i+1]
	}
	tokens -= codeTokens(out.code)
	hits = distinct(hits)
	kept := make([]string, len(hits)) // the text of each hit that is sent
	left := tokens
	take := func(i int, text string, cost int) {
		kept[i] = text
		left -= cost
	}
	cost := make([]int, len(hits))
	for i, h := range hits {
		cost[i] = Tokens(h.Content) + passageOverhead
		if i == 0 && cost[i] > left {
			text := fragment(h.Content, left-passageOverhead)
			take(i, text, Tokens(text)+passageOverhead)
		} else if cost[i] <= left {
			take(i, h.Content, cost[i])
		}
	}
	for i, h := range hits {
		if kept[i] == "" && left >= minFragment+passageOverhead {
			take(i, fragment(h.Content, left-passageOverhead), left)
			break
		}
	}
	for i, h := range hits {
		if kept[i] == "" {
			continue
		}
		c := h.citation(len(out.sources) + 1)
		out.sources = append(out.sources, c)
		out.passages = append(out.passages, llm.Passage{Number: c.Number, Title: c.Title, Text: kept[i], Score: c.Score})
	}
	return out
}

// fragment is the beginning of a document, with a note that it is one.
func fragment(content string, tokens int) string {
	return strings.TrimRight(truncate(content, max(tokens-Tokens(cutNote), 1)), "\n") + cutNote
}

// distinct drops hits without content, and those whose content a better one has.
func distinct(hits []found) []found {
	seen := make(map[string]bool, len(hits))
	return slices.DeleteFunc(slices.Clone(hits), func(h found) bool {
		key := strings.TrimSpace(h.Content)
		if key == "" || seen[key] {
			return true
		}
		seen[key] = true
		return false
	})
}

// found is a document that an answer may be made from, and where it comes from.
type found struct {
	retriever.Hit
	Origin Origin
	URL    string // of a page
}

// citation makes the citation of a document.
func (f found) citation(number int) Citation {
	c := Citation{Type: f.Origin, Number: number, DocumentID: f.ID, Source: f.Source, Score: f.Score, URL: f.URL,
		API: f.metadata("api_title"), Method: f.metadata("method")}
	if c.URL == "" {
		c.URL = f.metadata("url")
	}
	for _, key := range []string{"endpoint", "title", "section", "name"} {
		if c.Title = f.metadata(key); c.Title != "" {
			return c
		}
	}
	c.Title, _, _ = strings.Cut(strings.TrimSpace(f.Content), "\n")
	c.Title = clip(c.Title, 80)
	return c
}

func (f found) metadata(key string) string {
	s, _ := f.Metadata[key].(string)
	return s
}

// clip cuts s to at most n bytes, not inside a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
