package codegen

import (
	"slices"
	"strings"
)

var rubyDialect = dialect{special: `\"#`, rune: escapeBraces}

const rubyTaken = `BEGIN END alias and begin break case class def defined do else elsif end ensure false for if in module next nil not or redo
	rescue retry return self super then true undef unless until when while yield uri request response query http raise puts p`

type ruby struct {
	source
	plan *plan
	ids  map[*variable]string
}

func writeRuby(p *plan) string {
	r := &ruby{plan: p, ids: p.identifiers(snakeCase, rubyTaken)}
	r.line("require \"net/http\"")
	if p.json || p.body != nil && p.body.kind == jsonBody {
		r.line("require \"json\"")
	}
	if slices.ContainsFunc(p.urlWithQuery(), func(t part) bool { return t.encode }) {
		r.line("require \"erb\"")
	}
	r.line()
	r.comments(p, "", "#")
	for _, v := range p.variables {
		if v.env != "" {
			r.line(r.ids[v], " = ENV.fetch(", rubyDialect.quote(v.env), ")")
		} else {
			r.line(r.ids[v], " = ", rubyDialect.quote(v.value))
		}
	}
	if p.body != nil && p.body.document != "" {
		r.line("query = <<~'GRAPHQL'\n  ", strings.ReplaceAll(p.body.document, "\n", "\n  "), "\nGRAPHQL")
	}
	if len(p.variables) > 0 {
		r.line()
	}
	r.line("uri = URI(", r.text(p.urlWithQuery()), ")")
	r.request()
	r.line(`
response = Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == "https", open_timeout: 30, read_timeout: 30) do |http|
  http.request(request)
end
raise "#{response.code} #{response.message}: #{response.body}" unless response.is_a?(Net::HTTPSuccess)
`)
	if p.json {
		r.line("puts JSON.pretty_generate(JSON.parse(response.body))")
	} else {
		r.line("puts response.code, response.body")
	}
	return r.String()
}

func (r *ruby) request() {
	p := r.plan
	if slices.Contains(usualMethods, p.method) {
		r.line("request = Net::HTTP::", pascalCase([]string{strings.ToLower(p.method)}), ".new(uri)")
	} else {
		r.line("request = Net::HTTPGenericRequest.new(", rubyDialect.quote(p.method), ", true, true, uri)")
	}
	for _, h := range p.headers {
		r.line("request[", rubyDialect.quote(h.name), "] = ", r.text(h.value))
	}
	if p.user != nil {
		r.line("request.basic_auth(", r.ids[p.user], ", ", r.ids[p.password], ")")
	}
	if b := p.body; b != nil {
		if b.kind != multipartBody {
			r.line("request[\"Content-Type\"] = ", rubyDialect.quote(b.mediaType))
		}
		r.body(b)
	}
}

func (r *ruby) body(b *body) {
	switch b.kind {
	case jsonBody:
		s := syntax{object: [2]string{"{", "}"}, list: [2]string{"[", "]"}, noMembers: "{}", pair: " => ", quote: rubyDialect.quote,
			null: "nil", yes: "true", no: "false", document: "query", indent: "  "}
		r.line("request.body = JSON.generate(", s.value(b.value, ""), ")")
	case formBody, multipartBody:
		var pairs []string
		for _, f := range b.fields {
			value := r.text(f.value)
			if f.file != "" {
				value = "File.open(" + rubyDialect.quote(f.file) + ", \"rb\")"
			}
			pairs = append(pairs, "["+rubyDialect.quote(f.name)+", "+value+"]")
		}
		list := "[]"
		if len(pairs) > 0 {
			list = "[\n  " + strings.Join(pairs, ",\n  ") + "\n]"
		}
		if b.kind == formBody {
			r.line("request.body = URI.encode_www_form(", list, ")")
		} else {
			r.line("request.set_form(", list, `, "multipart/form-data")`)
		}
	case textBody:
		r.line("request.body = ", rubyDialect.quote(b.text))
	case fileBody:
		r.line("request.body = File.binread(", rubyDialect.quote(b.file), ")")
	}
}

func (r *ruby) text(t text) string {
	t = t.merged()
	if len(t) == 1 && t[0].variable != nil && !t[0].encode {
		return r.ids[t[0].variable]
	}
	return `"` + t.interpolate(rubyDialect.escape, func(p part) string {
		if p.encode {
			return "#{ERB::Util.url_encode(" + r.ids[p.variable] + ")}"
		}
		return "#{" + r.ids[p.variable] + "}"
	}) + `"`
}
