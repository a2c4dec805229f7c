package assistant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/codegen"
	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/offline"
	"github.com/api-assistant/api-assistant/retriever"
	"github.com/api-assistant/api-assistant/vectorstore"
)

// Question is what a user asks.
type Question struct {
	Text string // must not be blank
	// History is the conversation before Text, oldest first. Messages of other
	// speakers than llm.User and llm.Assistant are refused.
	History []llm.Message
	// Role is what kind of model should answer. Empty: RoleCode for a question for
	// code, else RoleGeneral.
	Role   llm.Role
	K      int                // documents to answer from; 0 means DefaultSources
	Filter vectorstore.Filter // only documents that it matches; nil is all
	// Language is the programming language of code in the answer, by any of its
	// usual names. Empty: the one that the text asks for, if it asks for any.
	Language string
	// Fetch reads the pages whose URLs stand in Text and answers from them too;
	// it needs Config.Web.Fetcher. Index stores them as sources as well.
	Fetch, Index bool
}

// DefaultSources is how many documents an answer is made from.
const DefaultSources = 8

// ErrQuestion is returned (wrapped) for a question that cannot be asked.
var ErrQuestion = errors.New("assistant: invalid question")

// Answer is a checked answer.
type Answer struct {
	// Text is the answer; [1] in it refers to the citation with that number.
	Text string
	// Intent is what the question was taken to be after.
	Intent Intent
	// Language is the programming language of Code; empty if none was asked for.
	Language codegen.Language
	// Query is what was searched for: the question, a follow-up completed with the
	// subject of the conversation.
	Query string
	// Sources are the documents that the answer was made from, in the order of
	// their numbers.
	Sources []Citation
	// Citations are those sources that Text cites, in the order of first mention.
	Citations []Citation
	// Unknown counts citations of sources that do not exist; they were removed.
	Unknown int
	// Grounded says that Text cites at least one source.
	Grounded bool
	// Code is client code for the operations that the question is about, made from
	// their specification, if code was asked for.
	Code []codegen.Snippet
	// Verification is what the catalogue says of the endpoints and the code in Text.
	Verification Verification
	// Repaired says that the model wrote Text anew after a verification that found
	// mistakes. Verification is that of the new text: what is left stands there.
	Repaired bool
	// Scraped and Failed are the URLs in the question that could and could not be
	// read; Indexed is how many documents of them are stored now.
	Scraped, Failed []string
	Indexed         int
	// Model is the model that answered, where it says so.
	Model string
	Usage llm.Usage // of all calls that the answer took
}

// Origin says where a document comes from.
type Origin string

// The origins.
const (
	IndexedDocument Origin = "indexed_doc" // of the corpus
	ScrapedPage     Origin = "scraped"     // of a page that the question names
	WebResult       Origin = "web_search"  // found in the web
)

// Citation ties a number in an answer to a document.
type Citation struct {
	Type       Origin
	Number     int // from 1
	DocumentID string
	Title      string  // "GET /orders" for an operation
	URL        string  // of a page
	API        string  // title of the API, if known
	Method     string  // of an operation
	Source     string  // file name or URL
	Score      float64 // of the retrieval, 0 to 1
}

// Event is one step of a streamed answer; exactly one field is set.
type Event struct {
	Sources      []Citation    // first: what the answer will be made from
	Delta        string        // a piece of the text, without citations that do not exist
	Verification *Verification // after the text: that of the final text
	Done         *Answer       // last: the whole checked answer
}

// Ask answers a question.
func (a *Assistant) Ask(ctx context.Context, q Question) (Answer, error) {
	for event, err := range a.Stream(ctx, q) {
		if err != nil {
			return Answer{}, err
		}
		if event.Done != nil {
			return *event.Done, nil
		}
	}
	return Answer{}, errors.New("assistant: the answer ended early")
}

// noAnswer is the text when no document was found.
const noAnswer = "The documents do not answer this: nothing in them matches the question."

// Stream answers a question step by step: sources, deltas, verification, done.
// The deltas are the text of the answer in pieces, apart from white space around
// it, unless the answer was repaired or the model began anew: Done has the text
// that counts. The sequence may be used once; at most one error is yielded, and it
// is last. Breaking out of it stops the model.
func (a *Assistant) Stream(ctx context.Context, q Question) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if err := a.stream(ctx, q, func(e Event) bool { return yield(e, nil) }); err != nil && !errors.Is(err, errStopped) {
			yield(Event{}, err)
		}
	}
}

// errStopped says that the consumer of a stream does not want more.
var errStopped = errors.New("assistant: stopped")

// stream passes the events of an answer to send, which returns false to stop.
func (a *Assistant) stream(ctx context.Context, q Question, send func(Event) bool) error {
	if err := q.check(); err != nil {
		return err
	}
	answer, err := a.understand(ctx, q)
	if err != nil {
		return err
	}
	material, err := a.gather(ctx, q, &answer)
	if err != nil {
		return err
	}
	if err := a.addCode(ctx, &answer, material); err != nil {
		return err
	}
	context := pack(material, answer.Code, a.budget)
	answer.Sources = context.sources
	if !send(Event{Sources: answer.Sources}) {
		return errStopped
	}
	if err := a.write(ctx, q, &answer, context, send); err != nil {
		return err
	}
	if err := a.addCitedCode(ctx, &answer); err != nil {
		return err
	}
	if !send(Event{Verification: &answer.Verification}) || !send(Event{Done: &answer}) {
		return errStopped
	}
	return nil
}

// check validates a question and fills its defaults in.
func (q *Question) check() error {
	if strings.TrimSpace(q.Text) == "" {
		return fmt.Errorf("%w: the text is empty", ErrQuestion)
	}
	if q.K == 0 {
		q.K = DefaultSources
	}
	for i, m := range q.History {
		if m.Speaker != llm.User && m.Speaker != llm.Assistant {
			return fmt.Errorf("%w: message %d of the history is by %q; only user and assistant may speak there", ErrQuestion, i, m.Speaker)
		}
	}
	return nil
}

// understand begins an answer: what the question is after, and what to search for.
func (a *Assistant) understand(ctx context.Context, q Question) (Answer, error) {
	c, err := a.classify(ctx, q.Text)
	if err != nil {
		return Answer{}, err
	}
	answer := Answer{Intent: c.Intent, Language: c.Language, Query: standalone(q.History, q.Text)}
	if q.Language != "" {
		language, ok := languageNamed(q.Language)
		if !ok {
			return Answer{}, fmt.Errorf("%w: there is no code in the language %q; there is in %v", ErrQuestion, clip(q.Language, 40), codegen.Languages())
		}
		answer.Language = language
	}
	if answer.Language == "" && answer.Intent == CodeGeneration {
		answer.Language = defaultLanguage
	}
	return answer, nil
}

// gather finds the documents that an answer may be made from, best first.
func (a *Assistant) gather(ctx context.Context, q Question, answer *Answer) ([]found, error) {
	pages, err := a.readPages(ctx, q, answer)
	if err != nil {
		return nil, err
	}
	result, err := a.retriever.Retrieve(ctx, retriever.Query{Text: answer.Query, K: q.K, Filter: q.Filter})
	if err != nil {
		return nil, err
	}
	var hits []found
	if len(result.Hits) > 0 && result.Hits[0].Score >= a.minRelevance {
		for _, h := range result.Hits {
			hits = append(hits, found{Hit: h, Origin: IndexedDocument})
		}
	}
	if len(pages) == 0 && (len(hits) == 0 || hits[0].Score < a.web.MinRelevance) {
		results, err := a.searchWeb(ctx, answer.Query)
		if err != nil {
			return nil, err
		}
		hits = append(hits, results...)
	}
	return append(pages, hits...), nil
}

// write makes the text of an answer, and checks it.
func (a *Assistant) write(ctx context.Context, q Question, answer *Answer, context packed, send func(Event) bool) error {
	if len(context.passages) == 0 {
		answer.Text = noAnswer
		if !send(Event{Delta: noAnswer}) {
			return errStopped
		}
		return a.check(ctx, answer)
	}
	request := a.prompt(q, answer, context)
	if err := a.generate(ctx, request, answer, send); err != nil {
		return err
	}
	if err := a.check(ctx, answer); err != nil {
		return err
	}
	if answer.Model == offline.ModelName {
		return nil
	}
	return a.repair(ctx, request, answer)
}

// generate lets the model write, and passes on what it writes.
func (a *Assistant) generate(ctx context.Context, req llm.Request, answer *Answer, send func(Event) bool) error {
	var text strings.Builder
	show := func(s string) bool {
		text.WriteString(s)
		return s == "" || send(Event{Delta: s})
	}
	cites := citer{sources: len(answer.Sources)}
	for chunk, err := range a.llm.Stream(ctx, req) {
		if err != nil {
			return err
		}
		if chunk.Restart {
			text.Reset()
			cites = citer{sources: len(answer.Sources)}
		}
		answer.Model = cmp.Or(chunk.Model, answer.Model)
		if chunk.Usage != nil {
			answer.Usage = *chunk.Usage
		}
		if !show(cites.write(chunk.Text)) {
			return errStopped
		}
	}
	rest := cites.close()
	if answer.Model == offline.ModelName {
		rest += quotedCode(answer, cites.cited)
	}
	if !show(rest) {
		return errStopped
	}
	answer.settle(text.String(), &cites)
	return nil
}

// settle takes over a text and its citations.
func (a *Answer) settle(text string, cites *citer) {
	a.Text = strings.TrimSpace(text)
	a.Citations = cites.citations(a.Sources)
	a.Unknown = cites.unknown
	a.Grounded = len(a.Citations) > 0
}

// check looks the endpoints and the code of an answer up.
func (a *Assistant) check(ctx context.Context, answer *Answer) error {
	catalog, err := a.Catalog(ctx)
	if err != nil {
		return err
	}
	answer.Verification = Verify(catalog, answer.Text)
	return nil
}
