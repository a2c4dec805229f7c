// Package assistant answers questions about APIs from their descriptions, and
// checks each answer against them.
//
//	a, err := assistant.New(assistant.Config{}) // in memory, no network, no model
//	if err != nil { … }
//	defer a.Close()
//	_, err = a.Ingest(ctx, assistant.File{Name: "openapi.yaml", Content: file})
//	if err != nil { … }
//	answer, err := a.Ask(ctx, assistant.Question{Text: "How do I list orders?"})
//	if err != nil { … }
//	fmt.Println(answer.Text)                // Use `GET /orders` … [1]
//	fmt.Println(answer.Citations[0].Title)  // GET /orders
//	fmt.Println(answer.Verification.Endpoints[0].Status) // ok
//
// A question goes one way: retrieval, context within a token budget, prompt,
// model, citations, checks. Retriever and model are interfaces; the zero Config
// uses an extractive model that needs no network, so that the answers are
// quotations from the documents. With a language model they are written text,
// and the same checks apply: citations that do not exist are removed, and every
// endpoint that the text mentions is looked up in the catalogue of operations.
package assistant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/api-assistant/api-assistant/assistant/ingest"
	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/offline"
	"github.com/api-assistant/api-assistant/retriever"
	"github.com/api-assistant/api-assistant/vectorstore/chromem"
)

// Config says what an Assistant is made of. The zero value works in memory,
// with no network and no model.
type Config struct {
	// Corpus holds the documents. nil means an empty one in memory. The Assistant
	// closes it in Close.
	Corpus *retriever.Corpus
	// Retriever finds documents in Corpus. nil means retriever.New(Corpus) with
	// its defaults.
	Retriever retriever.Retriever
	// LLM writes the answers. nil means offline.New().
	LLM llm.LLM
	// ContextTokens bounds the retrieved text in a prompt, in tokens as
	// Tokens counts them. 0 means DefaultContextTokens.
	ContextTokens int
	// HistoryTokens bounds the conversation in a prompt, in the same tokens: the
	// newest messages that fit are sent. 0 means DefaultHistoryTokens, a negative
	// number none.
	HistoryTokens int
	// MinRelevance is the score of the best document below which the documents do
	// not answer a question; the answer then says so, and no model is asked. 0 means
	// DefaultMinRelevance, a negative number that every match will do.
	MinRelevance float64
	// AskIntent lets the model say what a question is after where the rules are
	// unsure, which costs a short call.
	AskIntent bool
	// NoRepair leaves mistakes that the verification finds in an answer; otherwise
	// the model gets one chance to write it anew. The offline model never does.
	NoRepair bool
	// Web looks further than the documents. The zero value never does.
	Web Web
	// Ingest bounds and steers the parsing of files.
	Ingest ingest.Options
	// Logger is told what happens; nil is silent.
	Logger *slog.Logger
}

// DefaultContextTokens leaves room for history and answer in a window of 8,192
// tokens.
const DefaultContextTokens = 4000

// Further defaults of Config.
const (
	DefaultHistoryTokens = 1500
	// DefaultMinRelevance turns away only what shares next to nothing with the
	// documents: a question full of names ("When was Scarlett Johansson born?")
	// scores 0.05 with the operation that answers it.
	DefaultMinRelevance = 0.04
)

// Assistant answers questions from a corpus. It is safe for concurrent use.
type Assistant struct {
	corpus    *retriever.Corpus
	retriever retriever.Retriever
	llm       llm.LLM
	ingest    ingest.Options
	log       *slog.Logger
	catalog   catalogCache

	budget, historyTokens int
	minRelevance          float64
	askIntent, noRepair   bool
	web                   Web
}

// New makes an Assistant. The caller closes it.
func New(cfg Config) (*Assistant, error) {
	a := &Assistant{corpus: cfg.Corpus, retriever: cfg.Retriever, llm: cfg.LLM,
		budget: cfg.ContextTokens, historyTokens: cmp.Or(cfg.HistoryTokens, DefaultHistoryTokens),
		minRelevance: cmp.Or(cfg.MinRelevance, DefaultMinRelevance), askIntent: cfg.AskIntent, noRepair: cfg.NoRepair,
		web: cfg.Web, ingest: cfg.Ingest, log: cfg.Logger}
	a.web.MinRelevance = cmp.Or(a.web.MinRelevance, DefaultWebRelevance)
	a.web.MaxResults = cmp.Or(a.web.MaxResults, DefaultWebResults)
	if a.corpus == nil {
		if a.retriever != nil {
			return nil, errors.New("assistant: Config has a Retriever but no Corpus; give the corpus that it searches")
		}
		corpus, err := memoryCorpus()
		if err != nil {
			return nil, err
		}
		a.corpus = corpus
	}
	if a.retriever == nil {
		a.retriever = retriever.New(a.corpus, retriever.Options{})
	}
	if a.llm == nil {
		a.llm = offline.New()
	}
	if a.budget <= 0 {
		a.budget = DefaultContextTokens
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	return a, nil
}

// memoryCorpus is the corpus of the zero Config.
func memoryCorpus() (*retriever.Corpus, error) {
	embedder := offline.NewEmbedder(0)
	store, err := chromem.Open(chromem.Config{Embedder: embedder.Name(), Dimensions: embedder.Dimensions()})
	if err != nil {
		return nil, fmt.Errorf("assistant: opening a store in memory: %w", err)
	}
	return retriever.NewCorpus(retriever.CorpusConfig{Store: store, Embedder: embedder})
}

// Close closes the corpus.
func (a *Assistant) Close() error { return a.corpus.Close() }

// Corpus returns the documents, for adding, reading and removing single ones.
func (a *Assistant) Corpus() *retriever.Corpus { return a.corpus }

// Search finds documents.
func (a *Assistant) Search(ctx context.Context, q retriever.Query) (retriever.Result, error) {
	return a.retriever.Retrieve(ctx, q)
}

// File is a file to ingest.
type File struct {
	// Name is the source's name. A file with the same name replaces it.
	Name string
	// Content is read to its end; the caller closes it.
	Content io.Reader
	// Format says what the file is; empty means that it is detected.
	Format ingest.Format
	// Mode limits what is detected; empty means that it is that of Config.Ingest.
	Mode ingest.Mode
}

// Ingested says what one file became.
type Ingested struct {
	retriever.Replaced
	Format   ingest.Format
	Warnings []ingest.Warning
}

// Ingest parses files and stores their documents, each file in place of what
// it held before. It is one transaction: after an error nothing has changed.
// A file that cannot be read is an *ingest.Error that says where.
func (a *Assistant) Ingest(ctx context.Context, files ...File) ([]Ingested, error) {
	parsed, err := a.parse(ctx, files)
	if err != nil {
		return nil, err
	}
	uploads := make([]retriever.Upload, len(parsed))
	for i, s := range parsed {
		uploads[i] = retriever.Upload{Source: s.Name, Documents: s.Documents}
	}
	replaced, err := a.corpus.Replace(ctx, uploads...)
	if err != nil {
		return nil, err
	}
	out := make([]Ingested, len(parsed))
	for i, s := range parsed {
		out[i] = Ingested{Replaced: replaced[i], Format: s.Format, Warnings: s.Warnings}
	}
	return out, nil
}

// parse parses files, which together are one upload and may refer to each other.
func (a *Assistant) parse(ctx context.Context, files []File) ([]ingest.Source, error) {
	inputs := make([]ingest.Input, len(files))
	for i, f := range files {
		inputs[i] = ingest.Input(f)
	}
	return ingest.ParseFiles(ctx, inputs, a.ingest)
}

// Remove deletes all documents of a source and returns how many there were.
func (a *Assistant) Remove(ctx context.Context, source string) (int, error) {
	return a.corpus.RemoveSource(ctx, source)
}
