package gaps

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// learn gathers what the rules about an API as a whole need.
func (a *api) learn(o *apispec.Operation) {
	if o.Kind == apispec.HTTP && len(o.Security) > 0 {
		a.secured = true
	}
	if o.OperationID != "" {
		a.ids[o.OperationID]++
	}
	for name := range namesOf(o) {
		if s := styleOf(name); s != anyStyle {
			a.styles[s]++
		}
	}
}

// find applies the rules that make sense for the kind of operation.
func (f *finder) find() {
	f.descriptions()
	f.parameters()
	f.deprecation()
	f.naming()
	if f.operation.Kind == apispec.GraphQL {
		return // the rest is in the schema, or is nowhere
	}
	f.operationID()
	f.body()
	if f.operation.Kind == apispec.Webhook {
		return // its responses and credentials are those of the receiver
	}
	f.responses()
	f.auth()
	f.pathVariables()
}

func (f *finder) descriptions() {
	summary, description := strings.TrimSpace(f.operation.Summary), strings.TrimSpace(f.operation.Description)
	switch {
	case summary == "" && description == "":
		f.add(Error, MissingDescription, "", "Say what the operation does: it has neither a summary nor a description.")
	case summary == "":
		f.add(Info, MissingSummary, "", "Add a summary of one line; lists show it.")
	case description == "" && f.operation.Kind != apispec.GraphQL: // there the summary is made from it
		f.add(Info, MissingDescription, "", "Add a description beside the summary: when to use the operation, and what it changes.")
	}
}

func (f *finder) operationID() {
	switch id := f.operation.OperationID; {
	case id == "":
		f.add(Warning, MissingOperationID, "", "Add an operationId: generated clients name their functions after it.")
	case f.api.ids[id] > 1:
		f.add(Error, DuplicateOperationID, "", fmt.Sprintf("Give the operation an operationId of its own: %d operations are called %q.", f.api.ids[id], short(id)))
	}
}

func (f *finder) parameters() {
	for _, p := range f.operation.Parameters {
		name := p.In + " parameter " + short(p.Name)
		described := strings.TrimSpace(p.Description) != "" || p.Schema != nil && strings.TrimSpace(p.Schema.Description) != ""
		if !described {
			f.add(Warning, UndocumentedParameter, "", "Describe the "+name+": what it means, and which values make sense.")
		}
		if untyped(p.Schema) {
			f.add(Warning, UntypedParameter, "", "Say of which type the "+name+" is.")
		}
		if unclear(p.Name) {
			severity := Warning
			if described {
				severity = Info
			}
			f.add(severity, UnclearName, "", "Give the "+name+" a name that says what it is.")
		}
		if p.Deprecated && !hints(p.Description) {
			f.add(Info, DeprecatedWithoutAHint, "", "Say what to use instead of the deprecated "+name+".")
		}
	}
}

// body looks at the first representation: the others have the same fields.
func (f *finder) body() {
	b := f.operation.Body
	if b == nil {
		return
	}
	if len(b.Content) == 0 || b.Content[0].Schema == nil && structured(b.Content[0].Type) {
		f.add(Warning, MissingRequestSchema, "", "Describe the request body with a schema.")
		return
	}
	media := b.Content[0]
	var w walk
	w.schema(media.Schema, "", 0)
	if w.undocumented.count > 0 {
		f.add(Info, UndocumentedField, "", "Describe the fields of the request body: "+w.undocumented.String()+".")
	}
	if w.untyped.count > 0 {
		f.add(Info, UntypedField, "", "Say of which type the fields of the request body are: "+w.untyped.String()+".")
	}
	if w.unclear.count > 0 {
		f.add(Info, UnclearName, "", "Give the fields of the request body names that say what they are: "+w.unclear.String()+".")
	}
	if !media.HasExample && !w.exampled && structured(media.Type) {
		f.add(Info, MissingExample, "", "Add an example of the request body.")
	}
}

func (f *finder) responses() {
	responses := f.operation.Responses
	if len(responses) == 0 {
		f.add(Error, MissingResponse, "", "Declare what the operation answers: it has no responses.")
		return
	}
	success, failure := false, false
	for _, r := range responses {
		first := r.Status[:min(len(r.Status), 1)]
		success = success || r.Success() || first == "1" || first == "3"
		failure = failure || first == "4" || first == "5" || r.Status == "default"
		f.response(r)
	}
	if !success {
		f.add(Warning, MissingResponse, "", "Declare the response of success: only failures are there.")
	}
	if !failure {
		f.add(Warning, MissingErrorResponse, "", "Declare what the operation answers when it fails, such as 400, 401 or 404, with a schema.")
	}
}

// response looks at a response of success.
func (f *finder) response(r apispec.Response) {
	if !strings.HasPrefix(r.Status, "2") || r.Status == "204" || r.Status == "205" || f.operation.Method == "HEAD" {
		return
	}
	at := "/responses/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(r.Status)
	if len(r.Content) == 0 {
		if f.operation.Method == "GET" && r.Status == "200" {
			f.add(Warning, MissingResponseSchema, at, "Say what the response 200 carries: it has no content.")
		}
		return
	}
	media := r.Content[0]
	if media.Schema == nil && structured(media.Type) {
		f.add(Warning, MissingResponseSchema, at, "Describe what the response "+short(r.Status)+" carries with a schema.")
		return
	}
	var w walk
	w.schema(media.Schema, "", 0)
	if !media.HasExample && !w.exampled && structured(media.Type) {
		f.add(Info, MissingExample, at, "Add an example of the response "+short(r.Status)+".")
	}
}

// structured reports whether a media type has fields to describe. Files and
// plain text have none.
func structured(mediaType string) bool {
	return strings.Contains(mediaType, "json") || strings.Contains(mediaType, "xml") || strings.Contains(mediaType, "form") || mediaType == "*/*"
}

// auth looks at operations that change something. Whether one is open on purpose
// cannot be told from one where it was forgotten.
func (f *finder) auth() {
	if len(f.operation.Security) == 0 && f.api.secured && slices.Contains([]string{"POST", "PUT", "PATCH", "DELETE"}, f.operation.Method) {
		f.add(Warning, MissingAuth, "", "Declare the security of this operation, or say in its description that it is open to everyone: others of this API need credentials.")
	}
}

var pathVariable = regexp.MustCompile(`\{([^{}]+)\}`)

func (f *finder) pathVariables() {
	path, _, _ := strings.Cut(f.operation.Path, "?")
	for _, m := range pathVariable.FindAllStringSubmatch(path, -1) {
		if !slices.ContainsFunc(f.operation.Parameters, func(p apispec.Parameter) bool { return p.In == "path" && p.Name == m[1] }) {
			f.add(Error, UndeclaredParameter, "", "Declare the path parameter "+short(m[1])+": the path has it, the parameters do not.")
		}
	}
}

// replacement recognises hints at what to use instead.
var replacement = regexp.MustCompile(`(?i)\b(use|instead|replaced|replacement|superseded|see|migrate|moved|favou?r of|prefer|successor|newer)\b|/v\d`)

func hints(text string) bool { return replacement.MatchString(text) }

func (f *finder) deprecation() {
	if o := f.operation; o.Deprecated && !hints(o.Summary) && !hints(o.Description) {
		f.add(Info, DeprecatedWithoutAHint, "", "Say what to use instead of this deprecated operation.")
	}
}

// short bounds a name in a message.
func short(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\ufffd")), " ")
	if r := []rune(s); len(r) > 80 {
		return string(r[:79]) + "…"
	}
	return s
}
