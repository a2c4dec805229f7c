// Package codegen writes client code from an operation, without a model.
//
//	snippet, err := codegen.Generate(op, codegen.Python, codegen.Options{
//		Values: map[string]any{"order_id": 17},
//	})
//	if err != nil { … }
//	fmt.Println(snippet.Source)   // a program that makes the request
//	fmt.Println(snippet.Verified) // that the request passes op.Check
//
// One plan of the request is made from the operation: address, query, headers,
// credentials, body. Ten small writers turn it into a program; what they have in
// common is the plan, so they cannot disagree about the request. The plan is
// checked with apispec before anything is written of it.
//
// A snippet is short and whole: it runs as it stands once the environment
// variables with its credentials are set. It sends what is required, and of the
// rest only what Options.Values names. Values come from the specification's
// examples, defaults and enums, else from types, formats and names; where only
// a name is known, the value says "your-…".
//
// Everything in a specification is taken to be hostile: each string goes through
// the quoting function of the language, names become identifiers, and comments
// are one line of printable characters. Output is deterministic.
//
// Trade-offs: response bodies are printed, not mapped onto types (TypeScript
// declares the answer's type); serialisation styles of parameters are those that
// OpenAPI takes by default; XML bodies are simple elements without attributes.
package codegen

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// Language is a target of Generate.
type Language string

// The languages, each with the client that its code uses.
const (
	Curl       Language = "curl"       // in a POSIX shell
	Python     Language = "python"     // requests
	JavaScript Language = "javascript" // fetch, an ES module
	TypeScript Language = "typescript" // fetch, an ES module
	Go         Language = "go"         // net/http
	Java       Language = "java"       // java.net.http, Java 15 and later
	CSharp     Language = "csharp"     // HttpClient
	PHP        Language = "php"        // the curl extension, PHP 7.4 and later
	Ruby       Language = "ruby"       // net/http
	Rust       Language = "rust"       // reqwest (blocking, json, multipart) and serde_json
)

// writer turns a plan into source text.
type writer struct {
	language Language
	write    func(*plan) string
	names    []string // by which people call it, beside its own
}

var writers = []writer{
	{Curl, writeCurl, []string{"shell", "bash", "sh", "zsh", "cli", "console"}},
	{Python, writePython, []string{"py", "python3", "requests"}},
	{JavaScript, writeJavaScript, []string{"js", "node", "nodejs", "node.js", "ecmascript", "fetch", "mjs"}},
	{TypeScript, writeTypeScript, []string{"ts"}},
	{Go, writeGo, []string{"golang"}},
	{Java, writeJava, nil},
	{CSharp, writeCSharp, []string{"c#", "cs", "c-sharp", "dotnet", ".net"}},
	{PHP, writePHP, nil},
	{Ruby, writeRuby, []string{"rb"}},
	{Rust, writeRust, []string{"rs", "reqwest"}},
}

// Languages returns all languages, in a fixed order.
func Languages() []Language {
	var out []Language
	for _, w := range writers {
		out = append(out, w.language)
	}
	return out
}

// ParseLanguage finds a language by its name or one of the names that people
// use for it ("js", "golang", "C#", "bash"), in any case.
func ParseLanguage(name string) (Language, bool) {
	name = strings.ToLower(strings.TrimSpace(name))
	for _, w := range writers {
		if string(w.language) == name || slices.Contains(w.names, name) {
			return w.language, true
		}
	}
	return "", false
}

// Options steer generation. The zero value is usable.
type Options struct {
	// BaseURL replaces the server of the operation; of a GraphQL operation, its
	// whole address. Empty: the first server that is absolute, else a placeholder.
	BaseURL string
	// Values are used in place of made-up ones, by the name of a parameter or of a
	// field at the top of the body. Optional ones are sent if they stand here. The
	// key "body" is the whole body where nothing else has that name. Values are
	// those of encoding/json: string, numbers, bool, nil, []any, map[string]any.
	Values map[string]any
}

// Snippet is a program that makes one request.
type Snippet struct {
	Language    Language
	Source      string // ends with a newline
	OperationID string
	Endpoint    string // "GET /orders/{id}"
	API         string
	// Verified says that the request passes the operation's own check.
	Verified bool
	// Problems are what the check found, if it was not passed.
	Problems []apispec.Problem
}

// The errors of Generate, to be tested with errors.Is.
var (
	ErrLanguage    = errors.New("unknown language")
	ErrNotCallable = errors.New("it is called by the API, not by its clients")
)

// Generate writes the code of a request to an operation. It fails with
// ErrLanguage, and with ErrNotCallable for webhooks and callbacks. It does not
// change the operation, and is safe for concurrent use.
func Generate(op *apispec.Operation, l Language, o Options) (Snippet, error) {
	at := slices.IndexFunc(writers, func(w writer) bool { return w.language == l })
	if at < 0 {
		return Snippet{}, fmt.Errorf("codegen: %q: %w; there are %v", clip(string(l), 40), ErrLanguage, Languages())
	}
	if op.Kind == apispec.Webhook || op.Kind == apispec.Callback {
		return Snippet{}, fmt.Errorf("codegen: %s: %w", clip(op.Endpoint(), 200), ErrNotCallable)
	}
	p := newPlan(op, o)
	if l == JavaScript || l == TypeScript {
		p.fitFetch()
	}
	s := Snippet{Language: l, Source: writers[at].write(p), OperationID: op.OperationID, Endpoint: op.Endpoint(), API: op.API}
	s.Problems = p.problems()
	s.Verified = len(s.Problems) == 0
	return s, nil
}
