package retriever

import (
	"context"
	"regexp"
	"strings"
	"unicode"
)

// Term is an analysed word that the lexical arm searches, with its weight.
type Term struct {
	Text   string  // as bm25.Index.Analyze gives it
	Weight float64 // 1 is that of a word of the question
	// Added says that the word was not in the question: it may bring documents,
	// but a document is not worse for lacking it.
	Added bool
}

// Weights of the words of a question, by what they are.
const (
	askWeight     = 0.3  // "find", "tell": they ask, and say nothing of what
	valueWeight   = 0.2  // quoted text and identifiers: values, not names
	contextWeight = 0.45 // words of Query.Context
)

// Words weighs the words of a question: words that only ask, quoted values and
// identifiers count less, and so do the words of Query.Context. It sets
// Query.Terms for those inside.
func Words(c *Corpus, next Retriever) Retriever {
	return c.stage(func(ctx context.Context, q Query) (Result, error) {
		if q.Terms == nil {
			index, err := c.lexicalIndex(ctx)
			if err != nil {
				return Result{}, err
			}
			q.Terms = weigh(q, index.Analyze)
		}
		return next.Retrieve(ctx, q)
	})
}

// quotedText matches values in quotes. A single quote must stand like one, not
// like an apostrophe.
var quotedText = regexp.MustCompile("\"[^\"]{1,200}\"|“[^”]{1,200}”|`[^`/ ]{1,200}`|(?:^|[\\s(])'[^']{1,200}'(?:$|[\\s,.;:?!)])")

// askWords ask for something, or fill a conversation.
var askWords = set(`find tell give show know help look see provide let hey hi hello thank thanks curious interested
	planning trying sure using able like`)

// weigh gives every distinct term of a question its weight.
func weigh(q Query, analyze func(string) []string) []Term {
	var (
		out = make([]Term, 0, 16)
		at  = make(map[string]int, 16)
	)
	add := func(text string, weight float64, sum bool) {
		for _, t := range analyze(text) {
			i, ok := at[t]
			switch {
			case !ok:
				at[t] = len(out)
				out = append(out, Term{Text: t, Weight: weight})
			case sum:
				out[i].Weight += weight
			}
		}
	}
	plain := q.Text
	if strings.ContainsAny(plain, "\"“'`") {
		plain = quotedText.ReplaceAllStringFunc(plain, func(s string) string {
			add(s, valueWeight, false)
			return " "
		})
	}
	for word := range strings.FieldsFuncSeq(plain, func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == '?' }) {
		weight := 1.0
		switch {
		case askWords[strings.ToLower(word)]:
			weight = askWeight
		case strings.ContainsAny(word, "0123456789") && !strings.Contains(word, "/"):
			weight = valueWeight
		}
		add(word, weight, true)
	}
	if q.Context != "" {
		n := len(out)
		add(q.Context, contextWeight, false)
		for i := n; i < len(out); i++ {
			out[i].Added = true
		}
	}
	return out
}

// words are the lower-case words of a text, without punctuation.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) })
}

// set makes a set of the words of a text.
func set(text string) map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq(text) {
		m[w] = true
	}
	return m
}
