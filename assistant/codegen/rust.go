package codegen

import (
	"slices"
	"strings"
)

var rustDialect = dialect{special: `\"`, rune: escapeBraces}

const rustTaken = `as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod move mut pub ref
	return self static struct super trait true type unsafe use where while abstract become box do final macro override priv try typeof
	unsized virtual yield gen client response status answer query form body encode json main str char bool`

type rust struct {
	source
	plan    *plan
	ids     map[*variable]string
	encodes bool
}

func writeRust(p *plan) string {
	r := &rust{plan: p, ids: p.identifiers(snakeCase, rustTaken)}
	r.comments(p, "    ", "//")
	for _, v := range p.variables {
		if v.env != "" {
			r.line("    let ", r.ids[v], " = std::env::var(", rustDialect.quote(v.env), ")?;")
		} else {
			r.line("    let ", r.ids[v], " = ", rustDialect.quote(v.value), ";")
		}
	}
	r.prepare()
	if len(p.variables) > 0 || p.body != nil {
		r.line()
	}
	r.line("    let client = reqwest::blocking::Client::builder()\n        .timeout(Duration::from_secs(30))\n        .build()?;")
	r.request()
	r.line(`    let status = response.status();
    let answer = response.text()?;
    if !status.is_success() {
        return Err(format!("{status}: {answer}").into());
    }
    println!("{answer}");
    Ok(())
}`)
	if r.encodes {
		r.line(`
fn encode(value: &str) -> String {
    value
        .bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(b).to_string(),
            _ => format!("%{b:02X}"),
        })
        .collect()
}`)
	}
	head := "// Needs reqwest (features blocking, json, multipart) and serde_json.\nuse std::time::Duration;\n\n"
	return head + "fn main() -> Result<(), Box<dyn std::error::Error>> {\n" + r.String()
}

// prepare writes what is too long to stand in the request.
func (r *rust) prepare() {
	b := r.plan.body
	if b == nil {
		return
	}
	switch {
	case b.document != "":
		r.line("    let query = r#\"\n", b.document, "\n\"#;")
	case b.kind == multipartBody:
		r.line("    let form = reqwest::blocking::multipart::Form::new()")
		for i, f := range b.fields {
			end := ""
			if i == len(b.fields)-1 {
				end = ";"
			}
			if f.file != "" {
				r.line("        .file(", rustDialect.quote(f.name), ", ", rustDialect.quote(f.file), ")?", end)
			} else {
				r.line("        .text(", rustDialect.quote(f.name), ", ", r.owned(f.value), ")", end)
			}
		}
		if len(b.fields) == 0 {
			r.line("        ;")
		}
	}
	if b.kind == jsonBody {
		s := syntax{object: [2]string{"{", "}"}, list: [2]string{"[", "]"}, noMembers: "{}", pair: ": ", quote: rustDialect.quote,
			null: "null", yes: "true", no: "false", number: rustNumber, document: "query", indent: "    "}
		r.line("    let body = serde_json::json!(", s.value(b.value, "    "), ");")
	}
}

// rustNumber says which type a number has that does not fit the default one.
func rustNumber(f float64) string {
	s := number(f)
	if strings.ContainsAny(s, ".e") || f < 1<<31 && f >= -1<<31 {
		return s
	}
	return s + "i64"
}

func (r *rust) request() {
	p := r.plan
	if slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"}, p.method) {
		r.line("    let response = client\n        .", strings.ToLower(p.method), "(", r.text(p.url), ")")
	} else {
		r.line("    let response = client\n        .request(reqwest::Method::from_bytes(b", rustDialect.quote(p.method), ")?, ", r.text(p.url), ")")
	}
	r.pairs("query", p.query)
	for _, h := range p.headers {
		r.line("        .header(", rustDialect.quote(h.name), ", ", r.text(h.value), ")")
	}
	if p.user != nil {
		r.line("        .basic_auth(", r.ids[p.user], ", Some(", r.ids[p.password], "))")
	}
	if p.body != nil {
		r.body(p.body)
	}
	r.line("        .send()?;")
}

func (r *rust) body(b *body) {
	if b.kind != multipartBody && b.kind != formBody && b.mediaType != jsonType {
		r.line("        .header(\"Content-Type\", ", rustDialect.quote(b.mediaType), ")")
	}
	switch b.kind {
	case jsonBody:
		r.line("        .json(&body)")
	case formBody:
		if len(b.fields) == 0 {
			r.line("        .header(\"Content-Type\", ", rustDialect.quote(b.mediaType), ")")
		}
		r.pairs("form", b.fields)
	case multipartBody:
		r.line("        .multipart(form)")
	case textBody:
		r.line("        .body(", rustDialect.quote(b.text), ")")
	case fileBody:
		r.line("        .body(std::fs::File::open(", rustDialect.quote(b.file), ")?)")
	}
}

func (r *rust) pairs(method string, fields []field) {
	if len(fields) == 0 {
		return
	}
	r.line("        .", method, "(&[")
	for _, f := range fields {
		value := r.text(f.value)
		if _, plain := f.value.plain(); !plain {
			value = r.borrowed(f.value)
		}
		r.line("            (", rustDialect.quote(f.name), ", ", value, "),")
	}
	r.line("        ])")
}

// borrowed is a text with variables as &str, so that all values of a list have
// one type.
func (r *rust) borrowed(t text) string {
	t = t.merged()
	if len(t) == 1 && !t[0].encode {
		return r.ids[t[0].variable] + ".as_str()"
	}
	return r.text(t) + ".as_str()"
}

// owned is a text that a form may keep.
func (r *rust) owned(t text) string {
	if _, plain := t.plain(); plain {
		return r.text(t)
	}
	return r.text(t) + ".clone()"
}

func (r *rust) text(t text) string {
	t = t.merged()
	if plain, ok := t.plain(); ok {
		return rustDialect.quote(plain)
	}
	if len(t) == 1 && !t[0].encode {
		return "&" + r.ids[t[0].variable]
	}
	var arguments []string
	braces := strings.NewReplacer("{", "{{", "}", "}}")
	format := t.interpolate(func(l string) string { return formatEscape(braces, l) }, func(p part) string {
		if p.encode {
			r.encodes = true
			arguments = append(arguments, "encode("+r.ids[p.variable]+")")
			return "{}"
		}
		return "{" + r.ids[p.variable] + "}"
	})
	return `format!("` + strings.Join(append([]string{format + `"`}, arguments...), ", ") + ")"
}

// formatEscape doubles braces before \u{…} is written.
func formatEscape(braces *strings.Replacer, s string) string {
	return rustDialect.escape(braces.Replace(s))
}
