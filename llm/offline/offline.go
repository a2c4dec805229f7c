// Package offline has the defaults that need no network and no weights: a
// language model that only quotes, and an embedder that only hashes.
//
//	model := offline.New()
//	answer, err := llm.Generate(ctx, model, llm.Request{
//		Messages: []llm.Message{{Speaker: llm.User, Content: "How do I list orders?"}},
//		Passages: []llm.Passage{{Number: 1, Title: "GET /orders", Text: "GET /orders: lists orders"}},
//	})
//
// Both are deterministic. The model cannot write: it picks the passages and the
// lines in them that fit the question best and cites them, so it cannot invent
// anything either. Which passages fit best is what their scores say, and without
// scores the words that they share with the question. The embedder measures shared word parts, which is
// what a lexical index measures better; it serves searches by vector alone,
// tests and demonstrations.
package offline

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/llm"
)

// Model is the extractive language model. It is safe for concurrent use.
type Model struct{}

// New returns the extractive model.
func New() *Model { return &Model{} }

// ModelName is what the model calls itself in its answers.
const ModelName = "offline-extractive"

const (
	// maxQuoted is how many passages are quoted at most.
	maxQuoted = 3
	// minShare is the share of the best passage's score that a further passage
	// must have to be quoted.
	minShare = 0.8
	maxLines = 10
	maxLine  = 300 // bytes
)

// What the model says of itself: a reader must not take quotations for an
// answer that was thought about.
const (
	quoting   = "\nNo language model is configured, so this quotes the documents.\n"
	nothing   = "No language model is configured, and nothing in the documents matches the question.\n"
	noSources = "No language model is configured, and there are no documents to quote.\n"
)

// Stream answers the last user message, or the Question of the request, from the
// Passages of the request. It quotes at least one passage, and no more of them
// than fit into MaxTokens, which it counts in words. Temperature and Stop say
// nothing to it.
func (*Model) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		words, finish := 0, llm.FinishStop
		for i, part := range answer(question(req), req.Passages) {
			if err := ctx.Err(); err != nil {
				yield(llm.Chunk{}, err)
				return
			}
			more := len(strings.Fields(part))
			if i > 0 && req.MaxTokens > 0 && words+more > req.MaxTokens {
				finish = llm.FinishLength
				break
			}
			words += more
			if !yield(llm.Chunk{Text: part, Model: ModelName}, nil) {
				return
			}
		}
		yield(llm.Chunk{Model: ModelName, FinishReason: finish, Usage: &llm.Usage{CompletionTokens: words}}, nil)
	}
}

// question is what was asked: the last user message, unless the request says it
// apart.
func question(req llm.Request) string {
	if req.Question != "" {
		return req.Question
	}
	for _, m := range slices.Backward(req.Messages) {
		if m.Speaker == llm.User {
			return m.Content
		}
	}
	return ""
}

// scored is a passage with how well it fits.
type scored struct {
	llm.Passage
	score float64
}

// answer is the text, in parts for streaming.
func answer(question string, passages []llm.Passage) []string {
	if len(passages) == 0 {
		return []string{noSources}
	}
	asked := termSet(question)
	var fitting []scored
	for i, p := range passages {
		score := p.Score
		if score <= 0 {
			// Passages come best first; the order breaks near ties.
			score = overlap(asked, p) / (1 + 0.15*float64(i))
		}
		if score > 0 {
			fitting = append(fitting, scored{p, score})
		}
	}
	if len(fitting) == 0 {
		return []string{nothing}
	}
	slices.SortStableFunc(fitting, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	var parts []string
	for i, p := range fitting[:min(maxQuoted, len(fitting))] {
		if i > 0 && p.score < minShare*fitting[0].score {
			break
		}
		parts = append(parts, quote(p.Passage, asked, i == 0))
	}
	return append(parts, quoting)
}

// overlap is the share of the question's terms that a passage has, those in the
// title counting twice.
func overlap(asked map[string]bool, p llm.Passage) float64 {
	if len(asked) == 0 {
		return 0
	}
	title, text := termSet(p.Title), termSet(p.Text)
	var sum float64
	for t := range asked {
		if text[t] {
			sum++
		}
		if title[t] {
			sum++
		}
	}
	return sum / float64(len(asked))
}

// quote shows the title of a passage, and the lines of it that fit best, in
// their order. The best passage begins the text.
func quote(p llm.Passage, asked map[string]bool, best bool) string {
	var b strings.Builder
	first, rest := lead(p)
	if !best {
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "%s [%d]\n", first, p.Number)
	type line struct {
		at, score int
		text      string
	}
	var lines []line
	for i, text := range rest {
		score := 0
		for t := range termSet(text) {
			if asked[t] {
				score++
			}
		}
		if i < 2 || strings.Contains(text, "required") {
			score++ // what it is for, and what it needs
		}
		if score > 0 {
			lines = append(lines, line{i, score, text})
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(b.score, a.score) })
	lines = lines[:min(maxLines, len(lines))]
	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(a.at, b.at) })
	for _, l := range lines {
		indent := l.text[:len(l.text)-len(strings.TrimLeft(l.text, " "))]
		fmt.Fprintf(&b, "%s- %s\n", indent, clip(strings.TrimLeft(l.text, "-* ")))
	}
	return b.String()
}

// lead is the sentence that introduces a passage, and its other lines. The
// title of an operation is set as code.
func lead(p llm.Passage) (first string, rest []string) {
	for l := range strings.Lines(p.Text) {
		if l = strings.TrimRight(l, " \t\r\n"); l != "" {
			rest = append(rest, l)
		}
	}
	title := "**" + p.Title + "**"
	if method, path, ok := strings.Cut(p.Title, " "); ok && strings.HasPrefix(path, "/") && method == strings.ToUpper(method) {
		title = "`" + p.Title + "`"
	}
	if len(rest) > 0 && p.Title != "" {
		if after, ok := strings.CutPrefix(strings.ReplaceAll(rest[0], "`", ""), p.Title); ok {
			return clip(title + after), rest[1:]
		}
	}
	return title, rest
}

// clip shortens a line at a word.
func clip(s string) string {
	if len(s) <= maxLine {
		return s
	}
	cut := strings.LastIndexByte(s[:maxLine], ' ')
	if cut < maxLine/2 {
		cut = maxLine
		for cut > 0 && s[cut]&0xC0 == 0x80 {
			cut--
		}
	}
	return s[:cut] + " …"
}
