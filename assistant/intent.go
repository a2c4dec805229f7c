package assistant

import (
	"context"
	"regexp"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/codegen"
	"github.com/api-assistant/api-assistant/llm"
)

// Intent is what a question is after.
type Intent string

// The intents.
const (
	GeneralQuestion   Intent = "general_question"
	EndpointLookup    Intent = "endpoint_lookup"    // which operation does it, and how is it called
	CodeGeneration    Intent = "code_generation"    // code that calls an operation
	SchemaExplanation Intent = "schema_explanation" // what data looks like
	Authentication    Intent = "authentication"
	DocumentationGap  Intent = "documentation_gap" // what the documents do not say
)

var intents = []Intent{GeneralQuestion, EndpointLookup, CodeGeneration, SchemaExplanation, Authentication, DocumentationGap}

// Classified is what rules make of a question.
type Classified struct {
	Intent Intent
	// Confidence is between 0 and 1: the share of the evidence that speaks for
	// Intent. Below 0.5 the rules are unsure.
	Confidence float64
	// Language is the programming language asked for; empty if none is.
	Language codegen.Language
}

// cue is evidence for an intent in the words of a question.
type cue struct {
	intent Intent
	weight float64
	words  *regexp.Regexp
}

// cues are matched against the question in lower case. A weight of 3 decides
// against anything but another 3; 1 is a hint.
var cues = compileCues(map[Intent]map[float64][]string{
	CodeGeneration: {
		3: {`\b(code|snippets?|script|sdk|program)\b.*\b(for|to|that|which|calls?|using|in)\b`, `\b(write|generate|give|show|need|want|get|produce)\b.*\b(code|snippets?|script|function|class|program|client)\b`,
			`\b(code|curl|request|usage) (example|sample|snippet)s?\b`, `\b(sample|example) (code|request|call|usage|curl)\b`, `^(curl|code|snippet)\b`, `\bas (a )?(curl|code|script)\b`},
		2: {`\b(implement|program|automate|script)\b`, `\bcurl (command|call|request)\b`, `\bexamples?\b.*\b(call|request)`},
		1: {`\bexample\b`, `\bcode\b`},
	},
	Authentication: {
		3: {`\bauth(entication|enticate[ds]?|enticating|orization|orize[ds]?|orizing)?\b`, `\b(api|access|secret|personal access|bearer|refresh|client)[ -](key|token|secret|credential)s?\b`, `\boauth ?2?\b`, `\bopenid\b`, `\bbearer\b`, `\bbasic auth\b`,
			`\b(log|sign)(ing)? ?in to (the|this|your) api\b`, `\bcredentials?\b`, `\b401\b`, `\b403\b`, `\bunauthori[sz]ed\b`, `\bscopes?\b`},
		2: {`\b(which|what) (permissions?|roles?|tokens?)\b`, `\btoken (url|endpoint|expir\w*|lifetime)\b`, `\b(send|pass|put|use) (my|the|a) (key|token)\b`, `\b(sign|signing|signature) (of |my |the )?requests?\b`, `\brequires? (a )?(login|key|token)\b`},
		1: {`\b(token|login|permission|key)s?\b`},
	},
	SchemaExplanation: {
		3: {`\bschemas?\b`, `\b(fields|properties|attributes|structure|shape|data ?types?|data model|members)\b.*\b(of|in|does|has|have|for|are|returned)\b`, `\b(response|request|return|payload|body|json) (format|structure|schema|fields|shape|body look|model)\b`,
			`\bwhat (does|do|is in|are in) .*\b(object|model|type|payload|response|body)\b.*\b(look like|contain|consist|mean|include|have|hold)`, `\bwhat (fields|properties|attributes|columns|keys|values)\b`, `\bwhich (fields|properties|attributes|values)\b`, `\benum(s|eration)?\b`, `\bwhat type (is|does|of)\b`},
		2: {`\b(payload|response body|request body)\b`, `\blooks? like\b`, `\b(possible|allowed|valid) values\b`, `\bformat of\b`, `\b(object|model|type) (contain|look|consist)`, `\brequired fields\b`, `\bwhat does .* return\b`, `\b(field|property|attribute)\b`},
		1: {`\b(object|model|type|fields|body)\b`},
	},
	DocumentationGap: {
		3: {`\b(un|poorly |not |badly |well )documented\b`, `\bdocumentation (gap|hole|issue|problem|quality|coverage)s?\b`, `\bgaps? in (the|your|our|this) (doc|spec|api|desc)`, `\bmissing (from|in) (the|your|our|this) (doc|spec|api desc|desc|reference)`,
			`\b(lacks?|lacking|without|no|missing|have no|has no|incomplete|unclear) (a |an |any |clear )?(descriptions?|documentation|docs|summary|summaries|error responses?|examples?)\b`, `\b(incomplete|outdated|unclear|wrong) (doc|spec|description)`, `\bwhat is missing\b`, `\bwhat's missing\b`, `\b(doc|docs|documentation|specification|spec) (is|are|does|do|leaves?)\b.*\b(incomplete|missing|lack|unclear|not (say|mention|cover|describe|explain)|out)\b`},
		1: {`\bdocumentation\b`, `\bmissing\b`},
	},
	EndpointLookup: {
		3: {`\b(which|what|whose) (endpoint|operation|route|method|call|api call|request|url|path|mutation|query|api)s?\b`, `\b(endpoint|operation|route|call|request|mutation)s? (for|to|that|which|returning|with which)\b`, `\b(get|post|put|patch|delete|head|options) (https?:/)?/\S*`,
			`\b(is|are) there (an? |any )?(endpoint|operation|way|call|method|route|mutation)s?\b`, `\bwhere (do|can) i (get|find|send|post)\b`},
		2: {`\b(how|where) (do|can|could|would|should|might|to) (i |we |you |one |my app )?\w+`, `\bhow to \w+`, `\b(can|could|may) (i|we|you|one) \w+`, `\bi (want|need|would like|'d like|have|wish) to \w+`, `\bparameters?\b`, `^(please )?` + actionWords + `\b`, `\bis it possible to\b`, `\bwhat('s| is) the (endpoint|url|path|method|route)\b`},
		1: {`\b` + actionWords + `\b`, `\bendpoints?\b`},
	},
	GeneralQuestion: {
		3: {`^(hi|hello|hey|thanks|thank you)\b`, `\b(overview|pricing|price of the api|rate limit\w*|sla|terms of|versioning)\b`, `\bwhat (is|are) (this|the|your) (api|service|product)( \w+)?\??$`, `\bwho (made|maintains|owns|wrote)\b`, `\bhow does .* work\b`},
		2: {`^(what|who|why|when)('s| is| are| was| does| do| should)\b`, `\b(explain|difference between|compare|purpose of|meaning of|tell me about|summari[sz]e|describe)\b`, `\bwhat .* (mean|about)\b`, `\b(best practice|limits?|versions?|webhooks?)\b`, `^(does|do|is|are|will) (the|this|it|there|your)\b`},
	},
})

// actionWords are what people do with resources.
const actionWords = `(add|append|apply|approve|archive|assign|attach|block|book|browse|buy|call|cancel|change|charge|check|clone|close|complete|confirm|connect|convert|copy|count|create|deactivate|delete|disable|dismiss|download|edit|enable|end|erase|export|fetch|filter|find|get|import|insert|invite|issue|join|kick|leave|list|lock|look up|lookup|make|mark|merge|modify|move|open|paginate|pay|pin|place|post|publish|query|read|refund|register|reject|remove|rename|replace|request|reset|restore|restrict|retrieve|revoke|rotate|schedule|search|see|send|set|share|show|sort|start|stop|submit|subscribe|sync|track|transfer|trigger|unpin|unsubscribe|update|upload|validate|verify|view|write)`

func compileCues(table map[Intent]map[float64][]string) []cue {
	var out []cue
	for _, intent := range intents { // in a fixed order
		for _, weight := range []float64{3, 2, 1} {
			for _, pattern := range table[intent][weight] {
				out = append(out, cue{intent, weight, regexp.MustCompile(pattern)})
			}
		}
	}
	return out
}

// Classify says by rules what a question is after.
func Classify(question string) Classified {
	text := strings.ToLower(strings.Join(strings.Fields(clip(question, maxClassified)), " "))
	language := askedLanguage(question)
	weights := make(map[Intent]float64, len(intents))
	for _, c := range cues {
		// The strongest cue of an intent counts, further ones a little.
		if weights[c.intent] < c.weight+1 && c.words.MatchString(text) {
			weights[c.intent] = max(c.weight, weights[c.intent]+0.25)
		}
	}
	if language != "" {
		weights[CodeGeneration] = max(weights[CodeGeneration]+1, 4)
	}
	out := Classified{Intent: GeneralQuestion, Language: language}
	var best, sum float64
	for _, intent := range precedence {
		sum += weights[intent]
		if weights[intent] > best {
			best, out.Intent = weights[intent], intent
		}
	}
	if sum > 0 {
		out.Confidence = best / (sum + 1) // one hint alone is not certain
	}
	return out
}

// maxClassified is how much of a question the rules read, in bytes: what is
// wanted stands at the beginning of a long message.
const maxClassified = 2000

// precedence decides ties: the more special intent first.
var precedence = []Intent{DocumentationGap, CodeGeneration, Authentication, SchemaExplanation, EndpointLookup, GeneralQuestion}

// classify says what a question is after; a model is asked if the configuration
// wants that and the rules are unsure.
func (a *Assistant) classify(ctx context.Context, question string) (Classified, error) {
	c := Classify(question)
	if !a.askIntent || c.Confidence >= 0.5 {
		return c, nil
	}
	reply, err := llm.Generate(ctx, a.llm, llm.Request{MaxTokens: 16, Temperature: new(float64), Question: question, Messages: []llm.Message{
		{Speaker: llm.System, Content: classifyPrompt}, {Speaker: llm.User, Content: question}}})
	if ctx.Err() != nil {
		return c, ctx.Err()
	}
	if err != nil {
		a.log.WarnContext(ctx, "the model did not classify a question", "error", err)
		return c, nil
	}
	word := strings.Trim(strings.ToLower(reply.Text), " \t\r\n.`\"'*")
	for _, intent := range intents {
		if word == string(intent) {
			c.Intent, c.Confidence = intent, 0.75
		}
	}
	return c, nil
}

const classifyPrompt = `Say what the user's question about an API is after. Answer with exactly one of these words and nothing else:
general_question (what something is or how it works)
endpoint_lookup (which operation does something, or how it is called)
code_generation (code that calls an operation)
schema_explanation (what data looks like)
authentication (keys, tokens, permissions)
documentation_gap (what the documentation does not say)`
