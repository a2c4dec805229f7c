package assistant

import (
	"context"
	"fmt"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/llm"
)

const (
	// maxEvidence bounds what a repair is told, in tokens.
	maxEvidence = 1500
	// minRepair is the room that the model has at least to write the answer anew,
	// in tokens; a longer answer has half as much again as it had.
	minRepair = 500
)

// repair lets the model write an answer anew if its verification found mistakes.
// There is one round. The new text is taken if it has fewer mistakes and cites as
// well; what is left stands in the verification. A model that fails here leaves
// the answer as it was.
func (a *Assistant) repair(ctx context.Context, written llm.Request, answer *Answer) error {
	before := findings(answer.Verification)
	if a.noRepair || len(before) == 0 {
		return nil
	}
	reply, err := llm.Generate(ctx, a.llm, repairRequest(written, answer.Text, before))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		a.log.WarnContext(ctx, "the model did not repair an answer", "findings", len(before), "error", err)
		return nil
	}
	answer.Usage.PromptTokens += reply.Usage.PromptTokens
	answer.Usage.CompletionTokens += reply.Usage.CompletionTokens
	if reply.FinishReason == llm.FinishLength || reply.FinishReason == llm.FinishFilter {
		return nil // half an answer is none
	}
	repaired := *answer
	cites := citer{sources: len(answer.Sources)}
	repaired.settle(cites.write(reply.Text)+cites.close(), &cites)
	repaired.Unknown += answer.Unknown
	if err := a.check(ctx, &repaired); err != nil {
		return err
	}
	if repaired.Text == "" || answer.Grounded && !repaired.Grounded || len(findings(repaired.Verification)) >= len(before) {
		return nil
	}
	repaired.Repaired = true
	*answer = repaired
	return nil
}

// repairRequest asks for the answer anew, with what was found as evidence.
func repairRequest(written llm.Request, text string, found []finding) llm.Request {
	var evidence strings.Builder
	for _, f := range found {
		evidence.WriteString(f.String())
	}
	quoted := truncate(evidence.String(), maxEvidence)
	var b strings.Builder
	b.WriteString("Your answer was checked against the specification, and these mistakes were found:\n\n")
	boundaryFor(quoted).quote(&b, `report="verification"`, quoted)
	b.WriteString("Write the whole answer again without them. Keep what was right, cite by the same numbers, and use only endpoints, parameters and fields of the specification. " +
		"If the specification has nothing for it, say that instead. Do not mention this check.")
	written.Messages = append(written.Messages[:len(written.Messages):len(written.Messages)],
		llm.Message{Speaker: llm.Assistant, Content: text}, llm.Message{Speaker: llm.User, Content: b.String()})
	written.MaxTokens = max(minRepair, Tokens(text)*3/2)
	return written
}

// finding is a mistake in an answer, with what is right instead.
type finding struct {
	what    string
	nearest []*apispec.Operation
}

// String is what a model is told.
func (f finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "- %s\n", f.what)
	for _, op := range f.nearest {
		fmt.Fprintf(&b, "  The specification has: %s\n", signature(op))
	}
	return b.String()
}

// findings are the mistakes of a text.
func findings(v Verification) []finding {
	var out []finding
	for _, e := range v.Endpoints {
		switch e.Status {
		case apispec.UnknownPath:
			out = append(out, finding{fmt.Sprintf("%q does not exist", e.Mention), e.Resolution.Nearest})
		case apispec.WrongMethod:
			out = append(out, finding{fmt.Sprintf("%q exists with another method only", e.Mention), e.Resolution.Nearest})
		}
	}
	return out
}

// signature is an operation in a line: what it is called, does and needs.
func signature(op *apispec.Operation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "`%s`", op.Endpoint())
	if op.Summary != "" {
		fmt.Fprintf(&b, " (%s)", clip(op.Summary, 120))
	}
	var needs []string
	for _, p := range op.Parameters {
		if p.Required {
			needs = append(needs, p.In+" "+p.Name)
		}
	}
	if op.Body != nil && len(op.Body.Content) > 0 {
		media := op.Body.Content[0]
		needs = append(needs, "body "+media.Type)
		if media.Schema != nil {
			for _, p := range media.Schema.Properties {
				if p.Required && !p.ReadOnly {
					needs = append(needs, "field "+p.Name)
				}
			}
		}
	}
	if len(needs) > 0 {
		fmt.Fprintf(&b, "; needs %s", strings.Join(needs, ", "))
	}
	return b.String()
}
