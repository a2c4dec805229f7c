package verify

import (
	"maps"
	"strings"
)

// language is how a block of code is read.
type language string

// The languages that are read for requests.
const (
	shellLanguage      language = "shell"
	pythonLanguage     language = "python"
	javascriptLanguage language = "javascript"
	goLanguage         language = "go"
	javaLanguage       language = "java"
	httpLanguage       language = "http"
	graphqlLanguage    language = "graphql"
	dataLanguage       language = "data" // JSON, YAML: paths in it are values
)

var languages = map[string]language{
	"bash": shellLanguage, "sh": shellLanguage, "shell": shellLanguage, "zsh": shellLanguage, "console": shellLanguage, "curl": shellLanguage, "shell-session": shellLanguage, "shellscript": shellLanguage, "terminal": shellLanguage,
	"python": pythonLanguage, "py": pythonLanguage, "python3": pythonLanguage,
	"javascript": javascriptLanguage, "js": javascriptLanguage, "jsx": javascriptLanguage, "mjs": javascriptLanguage, "node": javascriptLanguage, "typescript": javascriptLanguage, "ts": javascriptLanguage, "tsx": javascriptLanguage,
	"go": goLanguage, "golang": goLanguage, "java": javaLanguage,
	"http": httpLanguage, "rest": httpLanguage, "graphql": graphqlLanguage, "gql": graphqlLanguage,
	"json": dataLanguage, "jsonc": dataLanguage, "json5": dataLanguage, "jsonl": dataLanguage, "yaml": dataLanguage, "yml": dataLanguage, "toml": dataLanguage, "xml": dataLanguage, "ini": dataLanguage, "csv": dataLanguage,
	"html": dataLanguage, "css": dataLanguage, "sql": dataLanguage, "nginx": dataLanguage, "diff": dataLanguage, "dockerfile": dataLanguage,
}

// code reads a fenced block: for its requests where the language is known, and for
// URLs and "METHOD /path" else.
func (c *checker) code(b block) {
	name := b.language
	if name == "" {
		name = strings.ToLower(c.options.Language)
	}
	lang, known := languages[name]
	if !known {
		lang = guess(c.text[b.start:b.end])
		if name == "" {
			name = string(lang)
		}
	}
	before := len(c.endpoints)
	switch lang {
	case shellLanguage:
		c.shell(b, name)
	case httpLanguage:
		c.rawHTTP(b, name)
	case graphqlLanguage:
		c.graphQL(b)
		return
	case pythonLanguage:
		c.interpret(b, name, lang, pythonDialect, pythonCall)
	case javascriptLanguage:
		c.interpret(b, name, lang, javascriptDialect, javascriptCall)
	case goLanguage:
		c.interpret(b, name, lang, goDialect, goCall)
	case javaLanguage:
		c.interpret(b, name, lang, javaDialect, javaCall)
	}
	u := unit{checker: c, start: b.start, end: b.end, strict: true}
	u.data = lang == dataLanguage
	u.taken = append(u.taken, c.endpoints[before:]...)
	u.program = lang != "" && lang != dataLanguage && lang != httpLanguage
	u.read()
}

// guess tells the language of a block that does not name one.
func guess(code string) language {
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(code, w) {
				return true
			}
		}
		return false
	}
	first := strings.TrimLeft(code, " \t\r\n$>")
	switch {
	case strings.HasPrefix(first, "curl ") || has("\ncurl ", "\n$ curl "):
		return shellLanguage
	case has("import requests", "import httpx", "requests.get(", "requests.post("):
		return pythonLanguage
	case has("await fetch(", "axios.", "const res"):
		return javascriptLanguage
	case has("http.NewRequest", "http.Get("):
		return goLanguage
	case has("HttpRequest.newBuilder"):
		return javaLanguage
	case has(" HTTP/1.1\n", " HTTP/2\n") && method.MatchString(first[:min(len(first), 8)]):
		return httpLanguage
	}
	return ""
}

// interpret runs a block and reports its requests. What earlier blocks of the
// language have defined is known, but their headers and parameters may have
// changed since.
func (c *checker) interpret(b block, name string, lang language, d dialect, call func(*interpreter, *callSite) (value, bool)) {
	names := c.shared[string(lang)]
	if names == nil {
		names = make(map[string]value)
	}
	in := &interpreter{dialect: d, text: c.text, tokens: lex(c.text, b.start, b.end, d), names: names, call: call}
	in.run()
	for _, r := range in.requests {
		c.report(b, name, r)
	}
	maps.DeleteFunc(names, func(_ string, v value) bool {
		switch v := v.(type) {
		case text, unknown:
			return false
		case *client:
			leak(v)
			return false
		}
		return true
	})
	c.shared[string(lang)] = names
}
