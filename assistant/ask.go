package assistant

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/retriever"
	"github.com/api-assistant/api-assistant/vectorstore"
)

// Question is what a user asks.
type Question struct {
	Text string // must not be blank
	// History is the conversation before Text, oldest first. Messages of other
	// speakers than llm.User and llm.Assistant are refused.
	History []llm.Message
	Role    llm.Role           // what kind of model should answer
	K       int                // documents to answer from; 0 means DefaultSources
	Filter  vectorstore.Filter // only documents that it matches; nil is all
}

// DefaultSources is how many documents an answer is made from.
const DefaultSources = 8

// ErrQuestion is returned (wrapped) for a question that cannot be asked.
var ErrQuestion = errors.New("assistant: invalid question")

// Answer is a checked answer.
type Answer struct {
	// Text is the answer; [1] in it refers to the citation with that number.
	Text string
	// Sources are the documents that the answer was made from, in the order of
	// their numbers.
	Sources []Citation
	// Citations are those sources that Text cites, in the order of first mention.
	Citations []Citation
	// Unknown counts citations of sources that do not exist; they were removed.
	Unknown int
	// Grounded says that Text cites at least one source.
	Grounded bool
	// Verification is what the catalogue says of the endpoints in Text.
	Verification Verification
	// Model is the model that answered, where it says so.
	Model string
	Usage llm.Usage
}

// Citation ties a number in an answer to a document.
type Citation struct {
	Number     int // from 1
	DocumentID string
	Title      string  // "GET /orders" for an operation
	API        string  // title of the API, if known
	Method     string  // of an operation
	Source     string  // file name or URL
	Score      float64 // of the retrieval, 0 to 1
}

// Event is one step of a streamed answer; exactly one field is set.
type Event struct {
	Sources      []Citation    // first: what the answer will be made from
	Delta        string        // a piece of the text, unchecked
	Verification *Verification // after the text
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
// The sequence may be used once; at most one error is yielded, and it is last.
// Breaking out of it stops the model.
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
	found, err := a.retriever.Retrieve(ctx, retriever.Query{Text: q.Text, K: q.K, Filter: q.Filter})
	if err != nil {
		return err
	}
	passages, sources := pack(found.Hits, a.budget)
	if !send(Event{Sources: sources}) {
		return errStopped
	}
	answer := Answer{Sources: sources}
	if len(passages) == 0 {
		answer.Text = noAnswer
		if !send(Event{Delta: noAnswer}) {
			return errStopped
		}
	} else if err := a.write(ctx, prompt(q, passages), &answer, send); err != nil {
		return err
	}
	if err := a.check(ctx, &answer); err != nil {
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

// write lets the model write the text of the answer.
func (a *Assistant) write(ctx context.Context, req llm.Request, answer *Answer, send func(Event) bool) error {
	var text strings.Builder
	for chunk, err := range a.llm.Stream(ctx, req) {
		if err != nil {
			return err
		}
		if chunk.Model != "" {
			answer.Model = chunk.Model
		}
		if chunk.Usage != nil {
			answer.Usage = *chunk.Usage
		}
		if chunk.Text == "" {
			continue
		}
		text.WriteString(chunk.Text)
		if !send(Event{Delta: chunk.Text}) {
			return errStopped
		}
	}
	answer.Text = strings.TrimSpace(text.String())
	return nil
}

// check ties the citations of an answer to its sources and looks its endpoints
// up.
func (a *Assistant) check(ctx context.Context, answer *Answer) error {
	cite(answer)
	catalog, err := a.Catalog(ctx)
	if err != nil {
		return err
	}
	answer.Verification = Verify(catalog, answer.Text)
	return nil
}
