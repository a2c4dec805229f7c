package codegen

import (
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

var javaDialect = dialect{special: `\"`, rune: escapeSurrogates}

const javaTaken = `abstract assert boolean break byte case catch char class const continue default do double else enum extends final
	finally float for goto if implements import instanceof int interface long native new package private protected public return short
	static strictfp super switch synchronized this throw throws transient try void volatile while true false null var record yield
	body form boundary request response args encode`

type java struct {
	source
	plan    *plan
	ids     map[*variable]string
	imports []string
	encodes bool // a function that encodes is needed
}

func writeJava(p *plan) string {
	j := &java{plan: p, ids: p.identifiers(camelCase, javaTaken),
		imports: []string{"java.net.URI", "java.net.http.HttpClient", "java.net.http.HttpRequest", "java.net.http.HttpResponse", "java.time.Duration"}}
	j.comments(p, "        ", "//")
	for _, v := range p.variables {
		if v.env != "" {
			j.line("        String ", j.ids[v], " = System.getenv(", javaDialect.quote(v.env), ");")
		} else {
			j.line("        String ", j.ids[v], " = ", javaDialect.quote(v.value), ";")
		}
	}
	if len(p.variables) > 0 {
		j.line()
	}
	j.request(j.body())
	j.line(`        HttpResponse<String> response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() >= 300) {
            throw new IllegalStateException(response.statusCode() + ": " + response.body());
        }
        System.out.println(response.body());
    }`)
	if j.encodes {
		j.use("java.net.URLEncoder", "java.nio.charset.StandardCharsets")
		j.line(`
    private static String encode(String value) {
        return URLEncoder.encode(value, StandardCharsets.UTF_8).replace("+", "%20");
    }`)
	}
	j.line("}")
	slices.Sort(j.imports)
	return "import " + strings.Join(j.imports, ";\nimport ") + ";\n\npublic class " + className(p.op) +
		" {\n    public static void main(String[] args) throws Exception {\n" + j.String()
}

func (j *java) use(names ...string) {
	for _, n := range names {
		if !slices.Contains(j.imports, n) {
			j.imports = append(j.imports, n)
		}
	}
}

// className is the operation id as a name of a class, which is none of those
// that the code uses.
func className(op *apispec.Operation) string {
	words := wordsOf(op.OperationID)
	if len(words) == 0 {
		words = wordsOf(strings.ToLower(op.Method) + " " + op.Path)
	}
	if len(words) < 2 || words[0][0] <= '9' {
		words = append([]string{"call"}, words...)
	}
	name := pascalCase(words)
	if slices.Contains([]string{"HttpClient", "HttpRequest", "HttpResponse", "StandardCharsets"}, name) {
		name += "Call"
	}
	return name
}

func (j *java) request(publisher string) {
	p := j.plan
	j.line("        HttpRequest request = HttpRequest.newBuilder(URI.create(", j.text(p.urlWithQuery()), "))")
	j.line("            .timeout(Duration.ofSeconds(30))")
	for _, h := range p.headers {
		j.line("            .header(", javaDialect.quote(h.name), ", ", j.text(h.value), ")")
	}
	if p.user != nil {
		j.use("java.util.Base64", "java.nio.charset.StandardCharsets")
		j.line("            .header(\"Authorization\", \"Basic \" + Base64.getEncoder().encodeToString(\n                (",
			j.ids[p.user], ` + ":" + `, j.ids[p.password], ").getBytes(StandardCharsets.UTF_8)))")
	}
	if b := p.body; b != nil && b.kind == multipartBody {
		j.line(`            .header("Content-Type", "multipart/form-data; boundary=" + boundary)`)
	} else if b != nil {
		j.line("            .header(\"Content-Type\", ", javaDialect.quote(b.mediaType), ")")
	}
	j.line("            .method(", javaDialect.quote(p.method), ", ", publisher, ")")
	j.line("            .build();\n")
}

// body writes what makes the body, and returns its publisher.
func (j *java) body() string {
	b := j.plan.body
	if b == nil {
		return "HttpRequest.BodyPublishers.noBody()"
	}
	switch b.kind {
	case jsonBody:
		s := jsonSyntax
		s.document = quoteJSON(oneLineDocument(b.document))
		j.textBlock("body", s.value(b.value, ""))
	case formBody:
		var t text
		for i, f := range b.fields {
			if i > 0 {
				t = append(t, part{literal: "&"})
			}
			t = append(t, part{literal: percent(f.name) + "="})
			for _, v := range f.value {
				v.literal, v.encode = percent(v.literal), v.variable != nil
				t = append(t, v)
			}
		}
		j.line("        String body = ", j.text(t), ";")
	case multipartBody:
		return j.multipart(b)
	case textBody:
		j.line("        String body = ", javaDialect.quote(b.text), ";")
	case fileBody:
		j.use("java.nio.file.Path")
		return "HttpRequest.BodyPublishers.ofFile(Path.of(" + javaDialect.quote(b.file) + "))"
	}
	return "HttpRequest.BodyPublishers.ofString(body)"
}

// textBlock declares a string of several lines.
func (j *java) textBlock(name, value string) {
	escaped := strings.ReplaceAll(strings.ReplaceAll(value, `\`, `\\`), `"""`, `\"""`)
	j.line("        String ", name, ` = """`)
	for l := range strings.SplitSeq(escaped, "\n") {
		j.line("            ", l)
	}
	j.line(`            """;`)
}

// multipart writes the parts out, since the standard library has nothing for
// them.
func (j *java) multipart(b *body) string {
	j.use("java.util.UUID")
	j.line("        String boundary = UUID.randomUUID().toString();")
	var terms []string
	var pending text
	flush := func() {
		terms = append(terms, "HttpRequest.BodyPublishers.ofString("+j.text(pending)+")")
		pending = nil
	}
	for _, f := range b.fields {
		head := "\r\nContent-Disposition: form-data; name=\"" + partName(f.name) + "\""
		pending = append(pending, part{literal: "--"}, part{variable: boundary})
		if f.file == "" {
			pending = append(append(append(pending, part{literal: head + "\r\n\r\n"}), f.value...), part{literal: "\r\n"})
			continue
		}
		j.use("java.nio.file.Path")
		pending = append(pending, part{literal: head + "; filename=\"" + f.file + "\"\r\nContent-Type: application/octet-stream\r\n\r\n"})
		flush()
		terms = append(terms, "HttpRequest.BodyPublishers.ofFile(Path.of("+javaDialect.quote(f.file)+"))")
		pending = literal("\r\n")
	}
	pending = append(pending, part{literal: "--"}, part{variable: boundary}, part{literal: "--\r\n"})
	flush()
	j.line("        HttpRequest.BodyPublisher form = HttpRequest.BodyPublishers.concat(\n            ", strings.Join(terms, ",\n            "), ");")
	return "form"
}

// boundary is the variable with the boundary of a multipart body.
var boundary = &variable{name: "boundary"}

// partName escapes the name of a part as browsers do.
func partName(s string) string {
	return strings.NewReplacer(`"`, "%22", "\r", "%0D", "\n", "%0A").Replace(s)
}

func (j *java) text(t text) string {
	return t.join(" + ", javaDialect.quote, func(p part) string {
		switch {
		case p.variable == boundary:
			return "boundary"
		case p.encode:
			j.encodes = true
			return "encode(" + j.ids[p.variable] + ")"
		}
		return j.ids[p.variable]
	})
}
