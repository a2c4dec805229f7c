package retriever

import (
	"context"
	"slices"
	"strings"
)

// synonymWeight is what a synonym counts beside the word itself.
const synonymWeight = 0.2

// synonymGroups are words that API descriptions use for one thing: verbs of
// REST, vocabulary of APIs, abbreviations. The words of one line replace each
// other.
const synonymGroups = `
get fetch retrieve obtain show give tell access view read return
list all enumerate browse
search find lookup query look filter
create add make new insert register
submit post send upload
update change modify edit adjust patch set
delete remove cancel erase clear destroy
start begin initiate launch trigger run
stop end terminate close finish
book reserve
generate produce build
forecast predict prediction
image picture photo logo poster avatar icon
user member account profile
recommend suggest recommendation
notification alert
config configuration settings setting setup preference
auth login authenticate authentication signin
price cost fee
review rating feedback
status state health
detail info information
movie film
repository repo
organization org organisation
environment env
application app
document doc
message msg
identifier id
directory folder
statistics stats metrics analytics
address location
phone telephone
purchase buy order
customer client
invoice bill billing
employee staff worker
vehicle car
`

// synonyms are the other words of a word's groups.
var synonyms = func() map[string][]string {
	m := make(map[string][]string)
	for line := range strings.Lines(synonymGroups) {
		group := strings.Fields(line)
		for _, w := range group {
			for _, other := range group {
				if other != w && !slices.Contains(m[w], other) {
					m[w] = append(m[w], other)
				}
			}
		}
	}
	return m
}()

// Synonyms adds the synonyms of the question's words, as weighted terms of the
// lexical arm: never as text, so that a long list of synonyms cannot outweigh
// what was asked. If Query.Expand is set, Result.Expanded says what was added.
func Synonyms(c *Corpus, next Retriever) Retriever {
	return c.stage(func(ctx context.Context, q Query) (Result, error) {
		index, err := c.lexicalIndex(ctx)
		if err != nil {
			return Result{}, err
		}
		if q.Terms == nil {
			q.Terms = weigh(q, index.Analyze)
		}
		terms, added := slices.Clip(q.Terms), []string(nil)
		for _, w := range words(q.Text) {
			for _, other := range synonyms[w] {
				for _, t := range index.Analyze(other) {
					if !slices.ContainsFunc(terms, func(have Term) bool { return have.Text == t }) {
						terms = append(terms, Term{Text: t, Weight: synonymWeight, Added: true})
						added = append(added, other)
					}
				}
			}
		}
		q.Terms = terms
		r, err := next.Retrieve(ctx, q)
		if q.Expand {
			r.Expanded = strings.Join(append([]string{q.Text}, added...), " ")
		}
		return r, err
	})
}
