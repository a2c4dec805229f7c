package assistant

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/api-assistant/api-assistant/llm"
)

// standalone is a question as it is searched for: a follow-up such as "and how do
// I delete it?" says nothing without the conversation before it, so it gets its
// subject from there. A question that stands by itself stays as it is.
//
// The rules are deterministic. A follow-up is a question that refers back (by a
// pronoun with nothing before it that it could mean, or by "the same") or that
// leaves something out ("what about pagination?", "in Python?", "for a specific
// user?"). One with a verb of its own gets the nouns of the question before; one
// that leaves the verb out gets all that was asked. What is said about a call
// ("what does it return?", "in Python?") is said about the endpoint that the last
// answer names first, so that endpoint is added.
func standalone(history []llm.Message, question string) string {
	var subject, endpoint string
	turns := lastTurns(history)
	for _, m := range turns {
		switch m.Speaker {
		case llm.User:
			subject = complete(subject, endpoint, clip(m.Content, maxClassified))
		case llm.Assistant:
			endpoint = firstEndpoint(m.Content)
		}
	}
	return complete(subject, endpoint, question)
}

// maxTurns is how many messages back a subject is looked for.
const maxTurns = 16

func lastTurns(history []llm.Message) []llm.Message {
	return history[max(0, len(history)-maxTurns):]
}

// complete adds to a follow-up what it leaves out. subject is the question
// before, complete itself; endpoint the one that the answer to it named.
func complete(subject, endpoint, question string) string {
	if subject == "" {
		return question
	}
	q := read(question)
	switch {
	case q.standsAlone():
		return question
	case q.onlyLanguage():
		return join(withoutLanguage(subject), question, endpoint)
	case q.refersToCall():
		return join(question, nouns(subject), endpoint)
	case q.hasVerb():
		return join(q.without(fillers), nouns(subject), resource(endpoint))
	}
	return join(withoutLanguage(subject), q.without(fillers), resource(endpoint))
}

// join puts the parts of a question for the search together.
func join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), " ")
}

// words is a question in words.
type words struct {
	text  string
	lower []string // without punctuation
	as    []string // the same, as written
}

func read(question string) words {
	w := words{text: question}
	for _, f := range strings.Fields(clip(question, maxClassified)) {
		f = strings.TrimFunc(f, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/{}#_", r)
		})
		if f != "" {
			w.as = append(w.as, f)
			w.lower = append(w.lower, strings.ReplaceAll(strings.ToLower(f), "’", "'"))
		}
	}
	return w
}

// standsAlone reports that a question needs nothing of the conversation.
func (w words) standsAlone() bool {
	if endpointMention.MatchString(w.text) {
		return true
	}
	if w.dangling() >= 0 || same.MatchString(w.text) {
		return false
	}
	content := w.content()
	own := len(content)
	switch {
	case own == 0:
		return len(w.lower) > 0 && chatter[w.lower[0]] // "thanks" is about nothing
	case continues.MatchString(w.text):
		return w.hasVerb() && own >= 1
	case w.onlyLanguage():
		return false
	}
	return w.hasVerb() || own >= 2 || asks[w.lower[0]] && !callParts[content[0]]
}

var (
	same      = regexp.MustCompile(`(?i)\b(the same|same (thing|one|call|request|endpoint|for|in|with|but|again)|do that|do so|that way|the (previous|last|above|former|latter) (one|call|request|endpoint|example|answer|code)|the other one|another one|instead\W*$)|^same\b`)
	continues = regexp.MustCompile(`(?i)^\W*(and|or|but|so|also|then|plus|now|ok(ay)?,? (and|now|so)?|what about|how about|what if|what else|with|without|for|in|as|using|only|just|sorted|filtered)\b`)
)

// dangling returns the place of a pronoun that refers to something outside of the
// question, or -1. A noun before it in the same question is what it means.
func (w words) dangling() int {
	noun := false
	for i, word := range w.lower {
		next := ""
		if i+1 < len(w.lower) {
			next = w.lower[i+1]
		}
		switch {
		case noun:
			return -1
		case word == "it" && w.expletive(i):
		case pronouns[word]:
			return i
		case demonstratives[word] && (next == "" || !isNoun(next) || genericNouns[next] || callParts[next]):
			if !(word == "that" && i > 0 && genericNouns[w.lower[i-1]]) { // "an endpoint that lists": a relative clause
				return i
			}
		case (word == "one" || word == "ones") && i > 0 && (w.lower[i-1] == "a" || w.lower[i-1] == "that" || w.lower[i-1] == "the" || actions[w.lower[i-1]] || w.lower[i-1] == "specific" || w.lower[i-1] == "single"):
			return i
		case w.nounAt(i) && !genericNouns[word] && !callParts[word] && !(i > 0 && w.lower[i-1] == "how"):
			noun = true
		}
	}
	return -1
}

// expletive reports that "it" at i stands for nothing: "is it possible to".
func (w words) expletive(i int) bool {
	for _, near := range w.lower[i+1 : min(i+3, len(w.lower))] {
		if near == "possible" || near == "allowed" || near == "safe" || near == "better" || near == "necessary" || near == "ok" {
			return i+3 < len(w.lower)
		}
	}
	return false
}

// refersToCall reports that a question is about a call rather than about what the
// call works on: "what does it return", "which parameters does it take".
func (w words) refersToCall() bool {
	if i := w.dangling(); i < 0 || w.hasVerb() {
		return false
	}
	return aboutCalls.MatchString(w.text)
}

var aboutCalls = regexp.MustCompile(`(?i)\b(return|respond|response|parameters?|arguments?|take|takes|need|needs|require|required|requires|accept|fields?|body|header|status|error|fail|fails|deprecated|auth\w*|token|scopes?|key|idempotent|paginat\w*|rate|limit\w*|work|works|example|url|look like|call)\b`)

// hasVerb reports that a question says what is to be done.
func (w words) hasVerb() bool {
	for i := range w.lower {
		if w.verbAt(i) {
			return true
		}
	}
	return false
}

// onlyLanguage reports that a question asks for nothing but another language:
// "same in python", "and in Go?".
func (w words) onlyLanguage() bool {
	if askedLanguage(w.text) == "" {
		return false
	}
	for _, word := range w.content() {
		if _, ok := languageNamed(word); !ok && !codeWords[word] {
			return false
		}
	}
	return true
}

// content are the words that carry meaning, in lower case.
func (w words) content() []string {
	var out []string
	for i, word := range w.lower {
		if w.nounAt(i) {
			out = append(out, word)
		}
	}
	return out
}

// without is the question without some words.
func (w words) without(drop map[string]bool) string {
	var out []string
	for i, word := range w.lower {
		if !drop[word] && !pronouns[word] && word != "same" {
			out = append(out, w.as[i])
		}
	}
	return strings.Join(out, " ")
}

// nouns are what a question is about: its words but for verbs, function words and
// languages.
func nouns(question string) string {
	var out []string
	w := read(withoutLanguage(withoutEndpoints(question)))
	for i, word := range w.lower {
		if w.nounAt(i) && !genericNouns[word] {
			out = append(out, w.as[i])
		}
	}
	return strings.Join(out, " ")
}

// nounAt reports that the word at i carries meaning and is not a verb there.
func (w words) nounAt(i int) bool { return isNoun(w.lower[i]) && !w.verbAt(i) }

func (w words) verbAt(i int) bool {
	word := w.lower[i]
	return (actions[word] || actions[strings.TrimSuffix(word, "s")]) && (i == 0 || beforeVerb[w.lower[i-1]] || strings.HasSuffix(w.lower[i-1], "'d"))
}

// isNoun reports that a word carries meaning: it may be a noun, or an adjective.
func isNoun(word string) bool {
	return len(word) > 1 && !fillers[word] && !pronouns[word] && !demonstratives[word] && !asks[word] && !beforeVerb[word] && !chatter[word]
}

// withoutLanguage drops the language of an earlier question, so that the next one
// can name another.
func withoutLanguage(question string) string {
	for _, pattern := range []*regexp.Regexp{languageAfter, languageCode} {
		if m := pattern.FindStringSubmatchIndex(question); m != nil && askedLanguage(question) != "" {
			question = question[:m[0]] + question[m[1]:]
		}
	}
	return strings.Join(strings.Fields(question), " ")
}

var endpointMention = regexp.MustCompile("\\b(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)[`*]* [`*]*(/[^\\s`\"'<>|)\\]*?#]*)")

// firstEndpoint is the first endpoint that a text names.
func firstEndpoint(text string) string {
	m := endpointMention.FindString(clip(text, 32<<10))
	return strings.TrimRight(strings.NewReplacer("`", "", "*", "").Replace(m), ".,;:!")
}

func withoutEndpoints(text string) string { return endpointMention.ReplaceAllString(text, "") }

// resource are the literal segments of an endpoint's path: what it works on.
func resource(endpoint string) string {
	_, path, _ := strings.Cut(endpoint, " ")
	var out []string
	for segment := range strings.SplitSeq(path, "/") {
		if segment != "" && !strings.HasPrefix(segment, "{") && !versions.MatchString(segment) {
			out = append(out, segment)
		}
	}
	return strings.Join(out, " ")
}

var versions = regexp.MustCompile(`^(api|v\d[\w.]*|\d+)$`)

func set(words string) map[string]bool {
	out := make(map[string]bool)
	for w := range strings.FieldsSeq(words) {
		out[w] = true
	}
	return out
}

var (
	pronouns       = set("it its them they their theirs itself themselves he him she her")
	demonstratives = set("this that these those")
	asks           = set("what which who whom whose when where why how what's who's where's how's")
	fillers        = set(`a an the and or but so also then plus now ok okay please just only again too as well of for to in on at by with without from into via using about like
		i we you one ones my our your me us is are was were be been do does did doing can could may might must should would will shall have has had i'd i'll i'm want wants need needs there here
		if while not no yes any some all each every same thing things else more let's lets possible way instead what's that's it's another other get got getting give tell
		return returns respond take takes use used uses work works require requires required accept accepts happens happen mean means look looks specific single particular`)
	// beforeVerb stand before what is to be done.
	beforeVerb   = set("to i we you one can could and or then please just also now would should might don't they not i'd never that which it")
	genericNouns = set("endpoint endpoints call calls request requests operation operations api method route example code snippet response answer function way url object")
	callParts    = set("parameter parameters argument arguments field fields header headers error errors status statuses scope scopes property properties response responses body")
	codeWords    = set("example examples code snippet version sample script equivalent library client")
	chatter      = set("hi hello hey thanks thank thx cheers great perfect cool nice bye sorry")
	actions      = set(strings.NewReplacer("(", "", ")", "", "|", " ").Replace(actionWords))
)
