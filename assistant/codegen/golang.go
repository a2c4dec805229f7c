package codegen

import (
	"go/format"
	"slices"
	"strings"
)

var goDialect = dialect{special: `\"`, rune: escapeShortLong}

const goTaken = `break case chan const continue default defer else fallthrough for func go goto if import interface map package range
	return select struct switch type var bytes fmt io json log mime multipart http url os strings time any append bool byte cap close
	copy error false float64 int iota len make new nil panic print println string true
	body form file part req resp err client answer query main init files`

type golang struct {
	source
	plan    *plan
	ids     map[*variable]string
	imports []string
}

func writeGo(p *plan) string {
	g := &golang{plan: p, ids: p.identifiers(camelCase, goTaken), imports: []string{"fmt", "io", "log", "net/http", "time"}}
	g.comments(p, "\t", "//")
	for _, v := range p.variables {
		if v.env != "" {
			g.use("os")
			g.line("\t", g.ids[v], " := os.Getenv(", goDialect.quote(v.env), ")")
		} else {
			g.line("\t", g.ids[v], " := ", goDialect.quote(v.value))
		}
	}
	if len(p.variables) > 0 {
		g.line()
	}
	reader := g.body()
	g.line("\treq, err := http.NewRequest(", goDialect.quote(p.method), ", ", g.text(p.url), ", ", reader, ")")
	g.check()
	g.request()
	g.line(`
	client := &http.Client{Timeout: 30 * time.Second}
	resp, err := client.Do(req)`)
	g.check()
	g.line("\tdefer resp.Body.Close()\n\tanswer, err := io.ReadAll(resp.Body)")
	g.check()
	g.line(`	if resp.StatusCode >= 300 {
		log.Fatalf("%s: %s", resp.Status, answer)
	}
	fmt.Println(string(answer))
}`)
	slices.Sort(g.imports)
	text := "package main\n\nimport (\n\t\"" + strings.Join(g.imports, "\"\n\t\"") + "\"\n)\n\nfunc main() {\n" + g.String()
	if formatted, err := format.Source([]byte(text)); err == nil {
		return string(formatted)
	}
	return text
}

func (g *golang) use(packages ...string) {
	for _, p := range packages {
		if !slices.Contains(g.imports, p) {
			g.imports = append(g.imports, p)
		}
	}
}

func (g *golang) check() { g.line("\tif err != nil {\n\t\tlog.Fatal(err)\n\t}") }

// body writes what makes the body, and returns the reader of it.
func (g *golang) body() string {
	b := g.plan.body
	if b == nil {
		return "nil"
	}
	switch b.kind {
	case jsonBody:
		g.use("bytes", "encoding/json")
		if b.document != "" {
			g.line("\tquery := `\n", b.document, "\n`")
		}
		s := syntax{object: [2]string{"map[string]any{", "}"}, list: [2]string{"[]any{", "}"}, noMembers: "map[string]any{}", pair: ": ",
			quote: goDialect.quote, null: "nil", yes: "true", no: "false", document: "query", indent: "\t", comma: true}
		g.line("\tbody, err := json.Marshal(", s.value(b.value, "\t"), ")")
		g.check()
		return "bytes.NewReader(body)"
	case formBody:
		g.use("net/url", "strings")
		g.line("\tform := url.Values{}")
		for _, f := range b.fields {
			g.line("\tform.Add(", goDialect.quote(f.name), ", ", g.text(f.value), ")")
		}
		return "strings.NewReader(form.Encode())"
	case multipartBody:
		g.multipart(b)
		return "&body"
	case textBody:
		g.use("strings")
		return "strings.NewReader(" + goDialect.quote(b.text) + ")"
	}
	g.use("os")
	g.line("\tfile, err := os.Open(", goDialect.quote(b.file), ")")
	g.check()
	g.line("\tdefer file.Close()")
	return "file"
}

func (g *golang) multipart(b *body) {
	g.use("bytes", "mime/multipart")
	g.line("\tvar body bytes.Buffer\n\tform := multipart.NewWriter(&body)")
	files := 0
	for _, f := range b.fields {
		if f.file == "" {
			g.line("\tif err := form.WriteField(", goDialect.quote(f.name), ", ", g.text(f.value), "); err != nil {\n\t\tlog.Fatal(err)\n\t}")
			continue
		}
		g.use("os")
		assign := ":="
		if files++; files > 1 {
			assign = "="
		}
		file := goDialect.quote(f.file)
		g.line("\tfile, err ", assign, " os.ReadFile(", file, ")")
		g.check()
		g.line("\tpart, err ", assign, " form.CreateFormFile(", goDialect.quote(f.name), ", ", file, ")")
		g.check()
		g.line("\tif _, err := part.Write(file); err != nil {\n\t\tlog.Fatal(err)\n\t}")
	}
	g.line("\tif err := form.Close(); err != nil {\n\t\tlog.Fatal(err)\n\t}")
}

// request sets the query, the header and the credentials.
func (g *golang) request() {
	p := g.plan
	if len(p.query) > 0 {
		g.line("\tquery := req.URL.Query()")
		for _, q := range p.query {
			g.line("\tquery.Add(", goDialect.quote(q.name), ", ", g.text(q.value), ")")
		}
		g.line("\treq.URL.RawQuery = query.Encode()")
	}
	if p.user != nil {
		g.line("\treq.SetBasicAuth(", g.ids[p.user], ", ", g.ids[p.password], ")")
	}
	for _, h := range p.headers {
		g.line("\treq.Header.Set(", goDialect.quote(h.name), ", ", g.text(h.value), ")")
	}
	if b := p.body; b != nil && b.kind == multipartBody {
		g.line("\treq.Header.Set(\"Content-Type\", form.FormDataContentType())")
	} else if b != nil {
		g.line("\treq.Header.Set(\"Content-Type\", ", goDialect.quote(b.mediaType), ")")
	}
}

func (g *golang) text(t text) string {
	return t.join("+", goDialect.quote, func(p part) string {
		if p.encode {
			g.use("net/url")
			return "url.PathEscape(" + g.ids[p.variable] + ")"
		}
		return g.ids[p.variable]
	})
}
