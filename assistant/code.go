package assistant

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/assistant/codegen"
)

// defaultLanguage is that of code when the question names none: everybody has
// curl, and it shows the request best.
const defaultLanguage = codegen.Curl

// maxSnippets is for how many operations an answer carries code.
const maxSnippets = 3

// nearlyBest is the share of the best score from which on a further operation is
// taken to be asked for as well.
const nearlyBest = 0.9

// addCode makes the code that the question asks for, before the answer is
// written: for the best operation, and for those that fit nearly as well.
func (a *Assistant) addCode(ctx context.Context, answer *Answer, material []found) error {
	if answer.Language == "" {
		return nil
	}
	known, err := a.operations(ctx)
	if err != nil {
		return err
	}
	var best float64
	for _, f := range material {
		op := known[f.ID]
		if op == nil || len(answer.Code) > 0 && f.Score < nearlyBest*best {
			continue
		}
		if snippet, err := codegen.Generate(op, answer.Language, codegen.Options{}); err == nil { // else it is a webhook
			best = max(best, f.Score)
			answer.Code = append(answer.Code, snippet)
		}
		if len(answer.Code) == maxSnippets {
			break
		}
	}
	return nil
}

// addCitedCode makes code for the operations that the written answer cites and
// that have none yet.
func (a *Assistant) addCitedCode(ctx context.Context, answer *Answer) error {
	if answer.Language == "" {
		return nil
	}
	known, err := a.operations(ctx)
	if err != nil {
		return err
	}
	for _, c := range answer.Citations {
		op := known[c.DocumentID]
		if len(answer.Code) >= maxSnippets || op == nil || answer.hasCode(op) {
			continue
		}
		if snippet, err := codegen.Generate(op, answer.Language, codegen.Options{}); err == nil { // else it is a webhook
			answer.Code = append(answer.Code, snippet)
		}
	}
	return nil
}

func (a *Answer) hasCode(op *apispec.Operation) bool {
	return slices.ContainsFunc(a.Code, func(s codegen.Snippet) bool { return s.Endpoint == op.Endpoint() && s.API == op.API })
}

// codeTokens is the room that code takes in a prompt.
func codeTokens(code []codegen.Snippet) int {
	sum := 0
	for _, s := range code {
		sum += Tokens(s.Source) + passageOverhead
	}
	return sum
}

// quotedCode is the code of the operation that the text cites first, for an
// answer that no model wrote.
func quotedCode(answer *Answer, cited []int) string {
	if len(cited) == 0 {
		return ""
	}
	first := answer.Sources[cited[0]-1]
	for _, s := range answer.Code {
		if s.Endpoint == first.Title && s.API == first.API {
			return fmt.Sprintf("\nMade from the specification [%d]:\n\n```%s\n%s\n```\n", first.Number, s.Language, strings.TrimRight(s.Source, "\n"))
		}
	}
	return ""
}
