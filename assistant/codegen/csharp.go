package codegen

import "slices"

var csharpDialect = dialect{special: `\"`, rune: escapeShortLong}

const csharpTaken = `abstract as base bool break byte case catch char checked class const continue decimal default delegate do double else
	enum event explicit extern false finally fixed float for foreach goto if implicit in int interface internal is lock long namespace new
	null object operator out override params private protected public readonly ref return sbyte sealed short sizeof stackalloc static
	string struct switch this throw true try typeof uint ulong unchecked unsafe ushort using virtual void volatile while var await async
	client request response answer body form query url value`

type csharp struct {
	source
	plan  *plan
	ids   map[*variable]string
	using []string
}

func writeCSharp(p *plan) string {
	c := &csharp{plan: p, ids: p.identifiers(camelCase, csharpTaken), using: []string{"System", "System.Net.Http", "System.Threading.Tasks"}}
	c.comments(p, "        ", "//")
	for _, v := range p.variables {
		if v.env != "" {
			c.line("        var ", c.ids[v], " = Environment.GetEnvironmentVariable(", csharpDialect.quote(v.env), ");")
		} else {
			c.line("        var ", c.ids[v], " = ", csharpDialect.quote(v.value), ";")
		}
	}
	c.request()
	c.body()
	c.line(`
        var client = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
        var response = await client.SendAsync(request);
        var answer = await response.Content.ReadAsStringAsync();
        if (!response.IsSuccessStatusCode)
        {
            throw new HttpRequestException($"{(int)response.StatusCode}: {answer}");
        }
        Console.WriteLine(answer);
    }
}`)
	slices.Sort(c.using)
	head := ""
	for _, u := range c.using {
		head += "using " + u + ";\n"
	}
	return head + "\npublic static class Program\n{\n    public static async Task Main()\n    {\n" + c.String()
}

func (c *csharp) use(names ...string) {
	for _, n := range names {
		if !slices.Contains(c.using, n) {
			c.using = append(c.using, n)
		}
	}
}

func (c *csharp) request() {
	p := c.plan
	c.line("        var url = ", c.text(p.urlWithQuery()), ";")
	c.line("        var request = new HttpRequestMessage(new HttpMethod(", csharpDialect.quote(p.method), "), url);")
	for _, h := range p.headers {
		c.line("        request.Headers.TryAddWithoutValidation(", csharpDialect.quote(h.name), ", ", c.text(h.value), ");")
	}
	if p.user != nil {
		c.use("System.Net.Http.Headers", "System.Text")
		c.line("        request.Headers.Authorization = new AuthenticationHeaderValue(\"Basic\",\n            Convert.ToBase64String(Encoding.UTF8.GetBytes(",
			c.ids[p.user], ` + ":" + `, c.ids[p.password], ")));")
	}
}

func (c *csharp) body() {
	b := c.plan.body
	if b == nil {
		return
	}
	switch b.kind {
	case jsonBody:
		c.use("System.Collections.Generic", "System.Text", "System.Text.Json")
		if b.document != "" {
			c.line("        var query = @\"\n", b.document, "\n\";")
		}
		s := syntax{object: [2]string{"new Dictionary<string, object> {", "}"}, list: [2]string{"new object[] { ", " }"}, noMembers: "new Dictionary<string, object>()",
			key: [2]string{"[", "]"}, pair: " = ", quote: csharpDialect.quote, null: "null", yes: "true", no: "false", document: "query", indent: "    ", comma: true}
		c.line("        object body = ", s.value(b.value, "        "), ";")
		c.line("        request.Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8);")
		c.contentType(b.mediaType)
	case formBody:
		c.use("System.Collections.Generic")
		c.line("        request.Content = new FormUrlEncodedContent(new KeyValuePair<string, string>[]\n        {")
		for _, f := range b.fields {
			c.line("            new KeyValuePair<string, string>(", csharpDialect.quote(f.name), ", ", c.text(f.value), "),")
		}
		c.line("        });")
	case multipartBody:
		c.use("System.IO")
		c.line("        var form = new MultipartFormDataContent();")
		for _, f := range b.fields {
			if f.file != "" {
				file := csharpDialect.quote(f.file)
				c.line("        form.Add(new StreamContent(File.OpenRead(", file, ")), ", csharpDialect.quote(f.name), ", ", file, ");")
			} else {
				c.line("        form.Add(new StringContent(", c.text(f.value), "), ", csharpDialect.quote(f.name), ");")
			}
		}
		c.line("        request.Content = form;")
	case textBody:
		c.use("System.Text")
		c.line("        request.Content = new StringContent(", csharpDialect.quote(b.text), ", Encoding.UTF8);")
		c.contentType(b.mediaType)
	case fileBody:
		c.use("System.IO")
		c.line("        request.Content = new StreamContent(File.OpenRead(", csharpDialect.quote(b.file), "));")
		c.contentType(b.mediaType)
	}
}

func (c *csharp) contentType(mediaType string) {
	c.use("System.Net.Http.Headers")
	c.line("        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(", csharpDialect.quote(mediaType), ");")
}

func (c *csharp) text(t text) string {
	return t.join(" + ", csharpDialect.quote, func(p part) string {
		if p.encode {
			return "Uri.EscapeDataString(" + c.ids[p.variable] + ")"
		}
		return c.ids[p.variable]
	})
}
