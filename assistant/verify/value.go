package verify

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// value is what is known of the value of an expression: text, float64, bool, nil,
// *object, *list, *client, *request, encoded, or unknown.
type value any

// unknown is a value that is not known; path says how it was written: "os.getenv()".
type unknown struct{ path string }

// text is a string of which parts may not be known.
type text []piece

type piece struct {
	s          string // literal, or the name of a hole
	hole       bool
	query      *object // an encoded query or form
	start, end int     // where it was written
	statement  int     // in which statement
}

// object is a dictionary; open says that it may have more.
type object struct {
	m    map[string]value
	open bool
	form bool // a multipart form
}

func newObject() *object { return &object{m: make(map[string]value)} }

// list is an array; open says that it may have more.
type list struct {
	items []value
	open  bool
}

// encoded is a value as JSON text.
type encoded struct{ of value }

// client is a session or an instance with defaults.
type client struct {
	base          value
	header, query *object
}

func newClient() *client { return &client{header: newObject(), query: newObject()} }

// request is one that the code makes, or the address of one.
type request struct {
	method        value // nil: GET, or POST if there is a body
	url           value
	client        *client
	header, query *object
	body          value
	hasBody       bool
	contentType   string // that the library sets; noType if it sets none
	open          apispec.Parts
}

// noType is a content type that no operation takes: none is sent.
const noType = "none/none"

func newRequest() *request { return &request{header: newObject(), query: newObject()} }

// set puts a value under a key, as update, append and the like do.
func (o *object) set(key value, v value) {
	if name, ok := plain(key); ok && len(o.m) < 10_000 {
		o.m[name] = v
	} else {
		o.open = true
	}
}

// merge adds what is in another value.
func (o *object) merge(v value) {
	switch v := v.(type) {
	case nil:
	case *object:
		if v == nil {
			return
		}
		for k, x := range v.m {
			o.m[k] = x
		}
		o.open = o.open || v.open
	case *list: // pairs
		for _, item := range v.items {
			if pair, ok := item.(*list); ok && len(pair.items) == 2 {
				o.set(pair.items[0], pair.items[1])
			} else {
				o.open = true
			}
		}
		o.open = o.open || v.open
	case text:
		for _, p := range v {
			if p.query != nil {
				o.merge(p.query)
				continue
			}
			if p.hole {
				continue
			}
			for pair := range strings.SplitSeq(strings.TrimPrefix(p.s, "?"), "&") {
				if key, _, ok := strings.Cut(pair, "="); ok {
					o.m[key] = unknown{}
				}
			}
		}
		if len(v) > 0 && v[0].hole && v[0].query == nil {
			o.open = true
		}
	default:
		o.open = true
	}
}

// plain is a value as a string, if all of it is known.
func plain(v value) (string, bool) {
	switch v := v.(type) {
	case text:
		var b strings.Builder
		for _, p := range v {
			if p.hole || p.query != nil {
				return "", false
			}
			b.WriteString(p.s)
		}
		return b.String(), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	}
	return "", false
}

// maxPieces bounds a text that is put together.
const maxPieces = 500

// textOf makes a text of any value; hole is where it stands.
func textOf(v value, hole piece) text {
	hole.hole, hole.s = true, "x"
	switch v := v.(type) {
	case text:
		return v
	case float64:
		hole.hole, hole.s = false, strconv.FormatFloat(v, 'f', -1, 64)
	case *object:
		hole.query = v
	case *request: // an address
		out := textOf(v.url, hole)
		if len(v.query.m) > 0 || v.query.open {
			out = append(out[:len(out):len(out)], piece{hole: true, query: v.query, start: hole.start, end: hole.end, statement: hole.statement})
		}
		return out
	case unknown:
		hole.s = lastName(v.path)
	}
	return text{hole}
}

func concat(a, b text) text {
	if len(a)+len(b) > maxPieces {
		return a
	}
	return append(a[:len(a):len(a)], b...)
}

// lastName is the name that says most of an expression: "id" of store["id"].
func lastName(path string) string {
	path = strings.TrimRight(path, "()[]0123456789")
	path = path[strings.LastIndexAny(path, ".()[]?")+1:]
	if path == "" {
		return "x"
	}
	return path
}

// plainBody makes a body of a value, as apispec wants it. open says that fields
// may be missing from the top.
func plainBody(v value, depth int) (body any, open bool) {
	if depth > 50 {
		return apispec.Unknown{}, true
	}
	switch v := v.(type) {
	case nil, bool, float64:
		return v, false
	case text:
		if s, ok := plain(v); ok {
			return s, false
		}
	case *object:
		if v.open && depth > 0 {
			return apispec.Unknown{}, true
		}
		out := make(map[string]any, len(v.m))
		for k, x := range v.m {
			out[k], _ = plainBody(x, depth+1)
		}
		return out, v.open
	case *list:
		out := make([]any, 0, len(v.items))
		for _, x := range v.items {
			y, _ := plainBody(x, depth+1)
			out = append(out, y)
		}
		return out, v.open
	case encoded:
		return plainBody(v.of, depth+1)
	}
	return apispec.Unknown{}, true
}

// jsonBody reads JSON in which values may not be known. ok is false if it is none.
func jsonBody(t text) (body any, ok bool) {
	var b strings.Builder
	inString, escaped := false, false
	for _, p := range t {
		if p.hole {
			if inString {
				b.WriteString(hole)
			} else {
				b.WriteString(`"` + hole + `"`)
			}
			continue
		}
		for i := range len(p.s) {
			switch c := p.s[i]; {
			case escaped:
				escaped = false
			case c == '\\':
				escaped = inString
			case c == '"':
				inString = !inString
			}
		}
		b.WriteString(p.s)
	}
	source := strings.TrimSpace(b.String())
	if source == "" || source[0] != '{' && source[0] != '[' || tooDeep(source) || json.Unmarshal([]byte(source), &body) != nil {
		return nil, false
	}
	return fill(body), true
}

// hole stands for what is not known inside JSON.
const hole = "\ufffd\ufffd"

func tooDeep(s string) bool {
	depth, most := 0, 0
	for i := range len(s) {
		switch s[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		most = max(most, depth)
	}
	return most > 100
}

func fill(v any) any {
	switch v := v.(type) {
	case string:
		if strings.Contains(v, hole) {
			return apispec.Unknown{}
		}
	case []any:
		for i := range v {
			v[i] = fill(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = fill(v[k])
		}
	}
	return v
}
