package codegen

import (
	"slices"
	"strings"
)

const phpTaken = "this curl response status query body headers fields GLOBALS argv argc"

type php struct {
	source
	plan *plan
	ids  map[*variable]string
}

func writePHP(p *plan) string {
	s := &php{plan: p, ids: p.identifiers(camelCase, phpTaken)}
	s.line("<?php\n")
	s.comments(p, "", "//")
	for _, v := range p.variables {
		if v.env != "" {
			s.line("$", s.ids[v], " = getenv(", phpQuote(v.env), ");")
		} else {
			s.line("$", s.ids[v], " = ", phpQuote(v.value), ";")
		}
	}
	if p.body != nil && p.body.document != "" {
		s.line("$query = <<<'GRAPHQL'\n", p.body.document, "\nGRAPHQL;")
	}
	s.line()
	s.line("$curl = curl_init(", s.text(p.urlWithQuery()), ");")
	s.line("curl_setopt_array($curl, [")
	s.options()
	s.line("    CURLOPT_RETURNTRANSFER => true,\n    CURLOPT_TIMEOUT => 30,\n]);")
	s.line(`$response = curl_exec($curl);
if ($response === false) {
    throw new RuntimeException(curl_error($curl));
}
$status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
if ($status >= 300) {
    throw new RuntimeException("$status: $response");
}`)
	if p.json {
		s.line("print_r(json_decode($response, true));")
	} else {
		s.line("echo $response;")
	}
	return s.String()
}

func (s *php) options() {
	p := s.plan
	if p.method == "HEAD" {
		s.line("    CURLOPT_NOBODY => true,")
	}
	if p.method != "GET" || p.body != nil {
		s.line("    CURLOPT_CUSTOMREQUEST => ", phpQuote(p.method), ",")
	}
	if p.user != nil {
		s.line("    CURLOPT_USERPWD => $", s.ids[p.user], " . ':' . $", s.ids[p.password], ",")
	}
	var headers []string
	for _, h := range p.headers {
		name := h.name + ": "
		if v, plain := h.value.plain(); plain && v == "" {
			name = h.name + ";"
		}
		headers = append(headers, s.text(append(literal(name), h.value...)))
	}
	if b := p.body; b != nil && b.kind != multipartBody {
		headers = append(headers, phpQuote("Content-Type: "+b.mediaType))
	}
	if len(headers) > 0 {
		s.line("    CURLOPT_HTTPHEADER => [\n        ", strings.Join(headers, ",\n        "), ",\n    ],")
	}
	if p.body != nil {
		s.line("    CURLOPT_POSTFIELDS => ", s.body(p.body), ",")
	}
}

func (s *php) body(b *body) string {
	switch b.kind {
	case jsonBody:
		syntax := syntax{object: [2]string{"[", "]"}, list: [2]string{"[", "]"}, noMembers: "new stdClass()", pair: " => ", quote: phpQuote,
			null: "null", yes: "true", no: "false", document: "$query", indent: "    ", comma: true, before: castToObject}
		return "json_encode(" + syntax.value(b.value, "    ") + ")"
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
		return s.text(t)
	case multipartBody:
		return s.multipart(b)
	case textBody:
		return phpQuote(b.text)
	}
	return "file_get_contents(" + phpQuote(b.file) + ")"
}

// castToObject keeps PHP from taking an object whose names are numbers for a
// list.
func castToObject(o object) string {
	if slices.ContainsFunc(o, func(m member) bool { return m.name == "" || strings.Trim(m.name, "0123456789") != "" }) {
		return ""
	}
	return "(object) "
}

// multipart writes fields; a name that comes again gets an index, since names
// are keys.
func (s *php) multipart(b *body) string {
	out := "[\n"
	for _, g := range grouped(b.fields) {
		for i, f := range g.values {
			name := f.name
			if i > 0 {
				name += "[" + number(float64(i)) + "]"
			}
			value := s.text(f.value)
			if f.file != "" {
				value = "new CURLFile(" + phpQuote(f.file) + ")"
			}
			out += "        " + phpQuote(name) + " => " + value + ",\n"
		}
	}
	return out + "    ]"
}

// phpQuote writes single quotes, in which nothing has a meaning but a backslash
// and a quote. What is not printed needs double quotes.
func phpQuote(s string) string {
	if strings.IndexFunc(s, invisible) < 0 {
		return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
	}
	return dialect{special: `\"$`, rune: escapeBraces}.quote(s)
}

func (s *php) text(t text) string {
	return t.join(" . ", phpQuote, func(p part) string {
		if p.encode {
			return "rawurlencode($" + s.ids[p.variable] + ")"
		}
		return "$" + s.ids[p.variable]
	})
}
