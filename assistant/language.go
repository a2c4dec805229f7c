package assistant

import (
	"regexp"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/codegen"
)

// moreNames are words for languages beside those that package codegen knows.
var moreNames = map[string]codegen.Language{
	"command line": codegen.Curl, "python2": codegen.Python, "requests library": codegen.Python, "httpx": codegen.Python,
	"axios": codegen.JavaScript, "c sharp": codegen.CSharp,
}

// languageNamed finds a language by any of its names.
func languageNamed(name string) (codegen.Language, bool) {
	name = strings.ToLower(strings.TrimSpace(name))
	if l, ok := moreNames[name]; ok {
		return l, true
	}
	return codegen.ParseLanguage(name)
}

// nameOfLanguage matches a language, longest names first.
const nameOfLanguage = `(node\.js|nodejs|node|javascript|js|typescript|ts|python3|python|py|requests library|httpx|axios|golang|go|java|c#|csharp|c sharp|\.net|dotnet|php|ruby|rust|curl|bash|shell|command line)`

var (
	// A name counts after a word that asks for a language, or beside a word for
	// code; names that mean nothing else count anywhere.
	languageAfter = regexp.MustCompile(`(?i)\b(?:in|using|with|via|into|to|as|as an?|from|on|for)(?: the| plain| pure)? ` + nameOfLanguage + `(?:$|[\s,.;:?!)])`)
	languageCode  = regexp.MustCompile(`(?i)(?:^|[\s(])` + nameOfLanguage + `(?: 3)? (?:code|example|examples|snippet|snippets|sample|samples|version|script|client|request|call|command|function|program|sdk|equivalent|please|way)\b`)
	languageOnly  = regexp.MustCompile(`(?i)^(?:and |now |or )?` + nameOfLanguage + `[\s?!.]*$`)
	languageSure  = regexp.MustCompile(`(?i)(?:^|[\s(])(python3?|javascript|typescript|golang|c#|csharp|php|curl|node\.js|nodejs)(?:$|[\s,.;:?!)])`)
	// notGo is go as a verb.
	notGo = regexp.MustCompile(`(?i)\b(?:to|as|with|on|for|from) go\b|\bgo (?:to|on|about|through|back|from|into|live|for|ahead|down|up|wrong|over|with)\b`)
)

// askedLanguage finds the programming language that a question asks for, if it
// asks for one.
func askedLanguage(question string) codegen.Language {
	question = clip(question, maxClassified)
	for _, pattern := range []*regexp.Regexp{languageOnly, languageAfter, languageCode, languageSure} {
		for _, m := range pattern.FindAllStringSubmatchIndex(question, -1) {
			name := strings.ToLower(question[m[2]:m[3]])
			if name == "go" && notGo.MatchString(question[max(0, m[2]-6):min(len(question), m[3]+10)]) && !strings.HasPrefix(question[max(0, m[2]-6):m[2]], "using") {
				continue
			}
			if isWord(name, question[m[0]:m[2]]) {
				continue
			}
			if language, ok := languageNamed(name); ok {
				return language
			}
		}
	}
	return ""
}

// isWord says that a name that is also an English word was not meant as a
// language: "for node", "from java" name things of a service.
func isWord(name, before string) bool {
	before = strings.ToLower(strings.TrimSpace(before))
	switch name {
	case "node", "shell", "ruby", "rust", "ts", "command line":
		return strings.HasPrefix(before, "to") || strings.HasPrefix(before, "for") || strings.HasPrefix(before, "from") || strings.HasPrefix(before, "on")
	}
	return false
}
