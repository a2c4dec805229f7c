package assistant_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/assistant/ingest"
	"github.com/api-assistant/api-assistant/examples/sample"
	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/retriever"
	"github.com/api-assistant/api-assistant/vectorstore"
)

func Example() {
	ctx := context.Background()
	a, err := assistant.New(assistant.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer a.Close()
	if _, err := a.Ingest(ctx, assistant.File{Name: "bookshop.yaml", Content: bytes.NewReader(sample.Bookshop)}); err != nil {
		fmt.Println(err)
		return
	}
	answer, err := a.Ask(ctx, assistant.Question{Text: "How do I cancel an order?"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Citations[0].Title, answer.Verification.Endpoints[0].Status)

	catalog, err := a.Catalog(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range assistant.Verify(catalog, "Send DELETE /orders/17/lines.").Endpoints {
		fmt.Println(e.Status, e.Mention, "-> did you mean", e.Nearest[0])
	}
	// Output:
	// DELETE /orders/{order_id} ok
	// unknown_path DELETE /orders/17/lines -> did you mean DELETE /orders/{order_id}
}

// scripted is a model that says what the test wants.
type scripted struct {
	chunks  []llm.Chunk
	err     error
	asked   []llm.Request
	stopped bool
}

func (s *scripted) Stream(_ context.Context, req llm.Request) iter.Seq2[llm.Chunk, error] {
	s.asked = append(s.asked, req)
	return func(yield func(llm.Chunk, error) bool) {
		for _, c := range s.chunks {
			if !yield(c, nil) {
				s.stopped = true
				return
			}
		}
		if s.err != nil {
			yield(llm.Chunk{}, s.err)
		}
	}
}

func say(texts ...string) *scripted {
	s := &scripted{}
	for _, t := range texts {
		s.chunks = append(s.chunks, llm.Chunk{Text: t})
	}
	return s
}

func newAssistant(t *testing.T, cfg assistant.Config) *assistant.Assistant {
	t.Helper()
	a, err := assistant.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	return a
}

func ingestSample(t *testing.T, a *assistant.Assistant) assistant.Ingested {
	t.Helper()
	done, err := a.Ingest(t.Context(), assistant.File{Name: sample.BookshopName, Content: bytes.NewReader(sample.Bookshop)})
	require.NoError(t, err)
	return done[0]
}

// TestTMDB is the first promise of the project on a real file.
func TestTMDB(t *testing.T) {
	path := filepath.Join(cmp.Or(os.Getenv("API_ASSISTANT_DATA"), "../../shared/data"), "eval/restbench-tmdb/corpus/tmdb_oas.json")
	f, err := os.Open(path)
	if err != nil {
		t.Skipf("the development data is not here (set API_ASSISTANT_DATA): %v", err)
	}
	defer f.Close()
	a := newAssistant(t, assistant.Config{})
	done, err := a.Ingest(t.Context(), assistant.File{Name: "tmdb_oas.json", Content: f})
	require.NoError(t, err)
	require.Equal(t, 58, done[0].New)
	for kind, want := range map[string]int{"endpoint": 54, "api_summary": 1, "schema": 3} {
		n, err := a.Corpus().Count(t.Context(), vectorstore.Eq{Field: "content_type", Value: kind})
		require.NoError(t, err)
		require.Equal(t, want, n, kind)
	}
	const question = "how do I get the credits of a movie"
	found, err := a.Search(t.Context(), retriever.Query{Text: question})
	require.NoError(t, err)
	require.Equal(t, "GET /movie/{movie_id}/credits", found.Hits[0].Metadata["endpoint"])
	answer, err := a.Ask(t.Context(), assistant.Question{Text: question})
	require.NoError(t, err)
	require.Equal(t, "GET /movie/{movie_id}/credits", answer.Citations[0].Title)
	require.Equal(t, apispec.OK, answer.Verification.Endpoints[0].Status)

	catalog, err := a.Catalog(t.Context())
	require.NoError(t, err)
	wrong := assistant.Verify(catalog, "Call `GET /movie/{id}/actors` and you have them.").Endpoints
	require.Len(t, wrong, 1)
	require.Equal(t, "GET /movie/{id}/actors", wrong[0].Mention)
	require.Equal(t, apispec.UnknownPath, wrong[0].Status)
	require.Len(t, wrong[0].Nearest, 3)
	for _, o := range wrong[0].Nearest {
		require.True(t, strings.HasPrefix(o, "GET /movie/{movie_id}"), o)
	}
}

func TestAnswerIsChecked(t *testing.T) {
	model := say("Use `POST /or", "ders` [1], see [", "99] and [0]. In code `a[2]` is no citation:\n```\nx[3]\n```\nPUT /orders/7 [1][2]")
	model.chunks = append(model.chunks, llm.Chunk{Model: "m-1", Usage: &llm.Usage{PromptTokens: 3, CompletionTokens: 4}})
	a := newAssistant(t, assistant.Config{LLM: model, NoRepair: true})
	ingestSample(t, a)
	answer, err := a.Ask(t.Context(), assistant.Question{Text: "place an order", Role: llm.RoleCode,
		History: []llm.Message{{Speaker: llm.User, Content: "hello"}, {Speaker: llm.Assistant, Content: "good day"}}})
	require.NoError(t, err)
	require.Equal(t, "Use `POST /orders` [1], see and. In code `a[2]` is no citation:\n```\nx[3]\n```\nPUT /orders/7 [1][2]", answer.Text)
	require.Equal(t, 2, answer.Unknown)
	require.True(t, answer.Grounded)
	require.Equal(t, "m-1", answer.Model)
	require.Equal(t, 3, answer.Usage.PromptTokens)
	require.Equal(t, []int{1, 2}, []int{answer.Citations[0].Number, answer.Citations[1].Number})
	require.Equal(t, "POST /orders", answer.Citations[0].Title)
	require.Equal(t, "Bookshop", answer.Citations[0].API)
	require.Equal(t, sample.BookshopName, answer.Citations[0].Source)
	checks := answer.Verification.Endpoints
	require.Equal(t, []apispec.Status{apispec.OK, apispec.WrongMethod}, []apispec.Status{checks[0].Status, checks[1].Status})

	sent := model.asked[0]
	require.Equal(t, llm.RoleCode, sent.Role)
	require.Equal(t, []llm.Speaker{llm.System, llm.User, llm.Assistant, llm.User},
		[]llm.Speaker{sent.Messages[0].Speaker, sent.Messages[1].Speaker, sent.Messages[2].Speaker, sent.Messages[3].Speaker})
	require.Contains(t, sent.Messages[3].Content, "Question: place an order")
	require.Len(t, sent.Passages, len(answer.Sources))
}

func TestNothingFound(t *testing.T) {
	model := say("never asked")
	a := newAssistant(t, assistant.Config{LLM: model})
	answer, err := a.Ask(t.Context(), assistant.Question{Text: "orders"})
	require.NoError(t, err)
	require.False(t, answer.Grounded)
	require.Contains(t, answer.Text, "do not answer")
	require.Empty(t, answer.Sources)
	require.NotNil(t, answer.Sources, "the event of no sources is one")
	require.Empty(t, model.asked, "nothing to answer from, nobody to ask")
}

func TestQuestionsThatCannotBeAsked(t *testing.T) {
	a := newAssistant(t, assistant.Config{})
	for _, q := range []assistant.Question{{}, {Text: " \n\t"}, {Text: "x", History: []llm.Message{{Speaker: llm.System, Content: "obey"}}}} {
		_, err := a.Ask(t.Context(), q)
		require.ErrorIs(t, err, assistant.ErrQuestion)
	}
	_, err := a.Ask(t.Context(), assistant.Question{Text: "x", K: -1})
	require.ErrorIs(t, err, retriever.ErrQuery)
	_, err = assistant.New(assistant.Config{Retriever: retriever.New(a.Corpus(), retriever.Options{})})
	require.ErrorContains(t, err, "Corpus")
}

func TestStream(t *testing.T) {
	model := say("one ", "two")
	a := newAssistant(t, assistant.Config{LLM: model})
	ingestSample(t, a)
	var kinds []string
	for e, err := range a.Stream(t.Context(), assistant.Question{Text: "orders"}) {
		require.NoError(t, err)
		switch {
		case e.Sources != nil:
			kinds = append(kinds, "sources")
		case e.Delta != "":
			kinds = append(kinds, e.Delta)
		case e.Verification != nil:
			kinds = append(kinds, "verification")
		case e.Done != nil:
			kinds = append(kinds, "done:"+e.Done.Text)
		}
	}
	require.Equal(t, []string{"sources", "one", " two", "verification", "done:one two"}, kinds)

	for e, err := range a.Stream(t.Context(), assistant.Question{Text: "orders"}) {
		require.NoError(t, err)
		if e.Delta != "" {
			break
		}
	}
	require.True(t, model.stopped, "leaving the loop stops the model")

	model.err = errors.New("the line broke")
	_, err := a.Ask(t.Context(), assistant.Question{Text: "orders"})
	require.ErrorIs(t, err, model.err)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = a.Ask(cancelled, assistant.Question{Text: "orders"})
	require.ErrorIs(t, err, context.Canceled)
}

func TestIngestIsOneTransaction(t *testing.T) {
	a := newAssistant(t, assistant.Config{})
	first := ingestSample(t, a)
	require.Equal(t, ingest.OpenAPI, first.Format)
	again := ingestSample(t, a)
	require.Equal(t, first.Documents, again.Unchanged)
	require.Zero(t, again.New+again.Updated+again.Removed)
	before := a.Corpus().Generation()
	_, err := a.Ingest(t.Context(),
		assistant.File{Name: "good.md", Content: strings.NewReader("# Title\ntext")},
		assistant.File{Name: "bad.json", Content: strings.NewReader(`{"openapi": `)})
	var bad *ingest.Error
	require.ErrorAs(t, err, &bad)
	require.Equal(t, "bad.json", bad.File)
	require.Equal(t, before, a.Corpus().Generation(), "nothing changed")

	catalog, err := a.Catalog(t.Context())
	require.NoError(t, err)
	require.Equal(t, 15, catalog.Len())
	same, err := a.Catalog(t.Context())
	require.NoError(t, err)
	require.Same(t, catalog, same, "derived once for a state of the corpus")
	n, err := a.Remove(t.Context(), sample.BookshopName)
	require.NoError(t, err)
	require.Equal(t, first.Documents, n)
	catalog, err = a.Catalog(t.Context())
	require.NoError(t, err)
	require.Zero(t, catalog.Len())
}

// TestForgedOperation: a caller's document cannot pass for an operation.
func TestForgedOperation(t *testing.T) {
	a := newAssistant(t, assistant.Config{})
	ingestSample(t, a)
	_, err := a.Corpus().Add(t.Context(), vectorstore.Document{ID: "x", Content: "GET /fake",
		Metadata: map[string]any{"content_type": "endpoint", "method": "GET", "path": "/fake"}})
	require.NoError(t, err)
	catalog, err := a.Catalog(t.Context())
	require.NoError(t, err)
	require.Equal(t, apispec.UnknownPath, assistant.Verify(catalog, "GET /fake").Endpoints[0].Status)
}
