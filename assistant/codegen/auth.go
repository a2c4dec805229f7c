package codegen

import (
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// credential stands in a form for a value from the environment.
type credential struct{ variable *variable }

// authenticate plans the credentials of the first alternative of which all
// schemes can be written down, else of the first there is.
func (p *plan) authenticate() {
	var chosen []apispec.Scheme
	for _, set := range p.op.Security {
		if len(set) > 0 && !slices.ContainsFunc(set, unsupported) {
			chosen = set
			break
		}
	}
	for _, set := range p.op.Security {
		if chosen == nil && len(set) > 0 {
			chosen = set
		}
	}
	for _, s := range chosen {
		p.scheme(s)
	}
}

// unsupported reports whether code for a scheme would need more than a header,
// a cookie or a parameter.
func unsupported(s apispec.Scheme) bool {
	switch s.Type {
	case "apiKey":
		return s.Key == "" || s.In != "query" && s.In != "header" && s.In != "cookie"
	case "http":
		return s.HTTP != "" && !strings.EqualFold(s.HTTP, "basic") && !strings.EqualFold(s.HTTP, "bearer")
	case "oauth2", "openIdConnect":
		return false
	}
	return true
}

func (p *plan) scheme(s apispec.Scheme) {
	switch s.Type {
	case "apiKey":
		p.apiKey(s)
	case "oauth2", "openIdConnect":
		p.tokenSource(s)
		p.authorization("Bearer ", "access token")
	case "http":
		switch strings.ToLower(s.HTTP) {
		case "basic":
			if p.user == nil {
				p.user, p.password = p.secret("username"), p.secret("password")
			}
		case "bearer", "":
			p.authorization("Bearer ", "token")
		default:
			if headerName.MatchString(s.HTTP) {
				p.authorization(s.HTTP+" ", "credentials")
			}
		}
	default:
		p.comment("The API also wants authentication of type " + s.Type + ", which is not shown here")
	}
}

// tokenSource says where an access token comes from.
func (p *plan) tokenSource(s apispec.Scheme) {
	for _, f := range s.Flows {
		if f.TokenURL != "" {
			note := "The access token comes from " + f.TokenURL + " (OAuth 2.0, " + f.Type
			if len(s.Scopes) > 0 {
				note += "; scopes: " + strings.Join(s.Scopes, " ")
			}
			p.comment(note + ")")
			return
		}
	}
}

func (p *plan) authorization(prefix, name string) {
	if !slices.ContainsFunc(p.headers, func(f field) bool { return f.name == "Authorization" }) {
		p.headers = append(p.headers, field{name: "Authorization", value: text{{literal: prefix}, {variable: p.secret(name)}}})
	}
}

func (p *plan) apiKey(s apispec.Scheme) {
	key := clean(s.Key)
	name := "api key"
	if slices.ContainsFunc(p.variables, func(v *variable) bool { return v.env == envName(p.op.API, name) }) {
		name = key // several keys are needed together
	}
	switch s.In {
	case "query":
		p.query = append(p.query, field{name: key, value: text{{variable: p.secret(name)}}})
	case "header":
		if headerName.MatchString(key) {
			p.headers = append(p.headers, field{name: key, value: text{{variable: p.secret(name)}}})
		}
	case "cookie":
		p.setCookies(text{{literal: percent(key) + "="}, {variable: p.secret(name)}})
	}
}

// secret makes a variable that comes from the environment, once.
func (p *plan) secret(name string) *variable {
	env := envName(p.op.API, name)
	for _, v := range p.variables {
		if v.env == env {
			return v
		}
	}
	v := &variable{name: name, env: env, value: "secret"}
	p.variables = append(p.variables, v)
	return v
}

// envName is BOOKSHOP_API_KEY for the API "Bookshop" and "api key".
func envName(api, name string) string {
	var words []string
	for _, w := range wordsOf(api) {
		if w != "api" && w != "rest" && w != "the" && w != "openapi" && w != "specification" && !isVersion(w) && len(words) < 3 {
			words = append(words, w)
		}
	}
	words = append(words, wordsOf(name)...)
	s := strings.ToUpper(strings.Join(words, "_"))
	if s == "" || s[0] >= '0' && s[0] <= '9' {
		s = "API_" + s
	}
	return strings.TrimRight(s[:min(len(s), 60)], "_")
}

// isVersion recognises v1, 2.0 and 71.
func isVersion(w string) bool {
	return strings.Trim(strings.TrimPrefix(w, "v"), "0123456789.") == ""
}
