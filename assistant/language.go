package assistant

import (
	"regexp"
	"strings"
)

// languageNames are the words by which people call the languages of package
// codegen.
var languageNames = map[string]string{
	"curl": "curl", "bash": "curl", "shell": "curl", "command line": "curl",
	"python": "python", "python3": "python", "py": "python", "requests library": "python", "httpx": "python",
	"javascript": "javascript", "js": "javascript", "node": "javascript", "nodejs": "javascript", "node.js": "javascript", "axios": "javascript",
	"typescript": "typescript", "ts": "typescript",
	"go": "go", "golang": "go",
	"java":   "java",
	"csharp": "csharp", "c#": "csharp", "c sharp": "csharp", ".net": "csharp", "dotnet": "csharp",
	"php": "php", "ruby": "ruby", "rust": "rust",
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
	// goesOn follows "to go", "in go" where go is no language.
	notGo = regexp.MustCompile(`(?i)\b(?:to|as|with|on|for|from) go\b|\bgo (?:to|on|about|through|back|from|into|live|for|ahead|down|up|wrong|over|with)\b`)
)

// askedLanguage finds the programming language that a question asks for, by the
// name that package codegen gives it.
func askedLanguage(question string) string {
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
			return languageNames[name]
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
