package diagram

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/assistant/ingest"
	"github.com/api-assistant/api-assistant/examples/sample"
)

// The lines of which this package makes diagrams. Texts have entity codes and
// harmless signs only, so that nothing from outside is anything but text.
const (
	text  = `(?:[\pL\pM\pN /_.,{}()\[\]=+?!':|…–-]|#[0-9]+;)+`
	notes = `(?:` + text + `|<br/>)+`
)

var grammars = map[string]*regexp.Regexp{
	typeSequence: regexp.MustCompile(`^(?:sequenceDiagram| +(?:` + strings.Join([]string{
		`(?:participant|actor) [a-z]+ as ` + text, `[a-z]+--?>>[a-z]+: ` + text, `Note over [a-z]+(?:,[a-z]+)?: ` + notes,
		`(?:alt|else|opt) ` + text, `end`}, "|") + `))\n$`),
	typeER: regexp.MustCompile(`^(?:erDiagram| +(?:` + strings.Join([]string{
		`"` + text + `" \{`, `[A-Za-z_][A-Za-z0-9_-]*(?:\[\])* [A-Za-z_][A-Za-z0-9_-]*(?: PK| FK)?(?: "` + text + `")?`, `\}`,
		`"` + text + `" [|o}{]{2}(?:--|\.\.)[|o}{]{2} "` + text + `" : "` + text + `"`}, "|") + `))\n$`),
	typeFlowchart: regexp.MustCompile(`^(?:flowchart LR| +(?:` + strings.Join([]string{
		`api\(\["` + text + `"\]\)`, `subgraph g\d+ \["` + text + `"\]`, `direction TB`, `[nm]\d+\["` + text + `"\]`, `more\["` + text + `"\]`, `end`,
		`api --> (?:g\d+|more)`}, "|") + `))\n$`),
}

// row is an attribute, whose names may be any words, but has no colon.
var row = regexp.MustCompile(`^        [A-Za-z_][^ ]* [A-Za-z_][^: ]*(?: [^:]*)?\n$`)

// valid holds a diagram to the promises of the package.
func valid(t testing.TB, d Diagram) {
	t.Helper()
	require.Less(t, len(d.Code), 50_000)
	require.NotContains(t, d.Title, "\n")
	require.LessOrEqual(t, len(d.Omitted), maxOmitted)
	for line := range strings.Lines(d.Code) {
		require.True(t, grammars[d.Type].MatchString(line), line)
		require.Equal(t, strings.HasPrefix(d.Code, line), line[0] != ' ', "only the first line names the kind")
		if !row.MatchString(line) && strings.TrimSpace(line) != "direction TB" {
			require.NotRegexp(t, `(?i)style|classdef|direction|wrap:`, line)
		}
	}
}

// hostile are names that mean something in one of the grammars.
var hostile = []string{
	"", " ", "end", "End", `"`, `""`, "a\"b", "a;b", "a#b", "#35;", "#quot;", "%%", "%% comment", "%%{init: {'theme':'dark'}}%%", "a\nb", "a\r\nend\nb", "a\u2028end",
	"]", "a[b", "a]b", "{", "}", "a}b", "(a)", "a)", "|", "||--o{", "-->", "->>", "A->>B: x", ":", "::", ":wrap:", "wrap: me", "nowrap:x",
	"click n0 href \"javascript:alert(1)\"", "<script>alert(1)</script>", "<br/>", "&lt;", "`code`", "\"`*md*`\"", "$$x^2$$", "\\", "\\\"", "direction TB", "go direction  LR now",
	"style a fill:#fff;", "classDef x:#f;", "class", "subgraph", "participant", "title x", "accTitle: x", "accDescr { x }", "note over a", "links a: {}", "PK", "fk", "pk-x", "uk", "one", "many", "to", "u", "0+", "1",
	"1. list", "- list", "+ list", "* list", "Größe", "名前", "العربية", "\u202eabc", "e\u0301", "😀", "\x00", "\xff\xfe", "@{ shape: x }", "~generic~", "ﬂ°°60¶ß", strings.Repeat("long ", 200), strings.Repeat("#", 5000), "---\ntitle: x\n---",
}

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"GET /orders/{order_id}": "GET /orders/{order_id}",
		`say "end"; #1`:          "say #34;end#34;#59; #35;1",
		"%%{init}%%":             "#37;#37;{init}#37;#37;",
		"a\r\n\tb":               "a b",
		"":                       "–",
		"\u200b":                 "–",
		"Größe 名前":               "Größe 名前",
		"😀":                      "#128512;",
		"lifestyle: #f;":         "life#115;tyle: #35;f#59;",
		"Direction TB":           "#68;irection TB",
		"nowrap: x":              "nowrap#58; x",
		"12. x":                  "12#46; x",
		"a\xffb":                 "a#65533;b",
	} {
		require.Equal(t, want, escape(in, 100), "%q", in)
	}
	require.Equal(t, "aaa…", escape("aaaaaaa", 6), "bytes, with the ellipsis")
	require.Equal(t, "…", escape("######", 6), "no half of a code")
}

func FuzzEscape(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, 40)
	}
	whole := regexp.MustCompile(`^` + text + `$`)
	f.Fuzz(func(t *testing.T, s string, max int) {
		max = 8 + (max&0xff)%200
		out := escape(s, max)
		require.Regexp(t, whole, out)
		require.LessOrEqual(t, len(out), max)
		name, _ := word(s)
		require.Regexp(t, `^[A-Za-z_][A-Za-z0-9_-]*$`, name)
		require.NotRegexp(t, `(?i)^(pk|fk|uk)\b`, name)
	})
}

// operations reads a description as the assistant does.
func operations(t testing.TB, name string, content []byte) []apispec.Operation {
	t.Helper()
	s, err := ingest.Parse(t.Context(), name, bytes.NewReader(content), ingest.Options{})
	require.NoError(t, err)
	var out []apispec.Operation
	for _, d := range s.Documents {
		var o apispec.Operation
		if d.Data != nil && json.Unmarshal(d.Data, &o) == nil && o.Method != "" {
			out = append(out, o)
		}
	}
	return out
}

// overview is what Overview gets of operations.
func overview(ops []apispec.Operation) (out []Endpoint) {
	for _, o := range ops {
		out = append(out, Endpoint{Path: o.Path, Method: o.Method, Summary: o.Summary, Tags: o.Tags})
	}
	return out
}

// TestGolden holds the diagrams of a small API to files. UPDATE_GOLDEN=1 writes
// them.
func TestGolden(t *testing.T) {
	ops := operations(t, sample.BookshopName, sample.Bookshop)
	draw := map[string]Diagram{"overview": Overview("Bookshop", overview(ops))}
	for i, o := range ops {
		if o.OperationID == "placeOrder" || o.OperationID == "addBook" || o.OperationID == "listBooks" {
			draw["sequence-"+o.OperationID] = Sequence(&ops[i])
		}
	}
	require.Greater(t, len(draw), 2)
	for _, auth := range []AuthType{Bearer, OAuth2, APIKey, Basic} {
		d, err := AuthFlow(auth, []string{"POST /orders", "GET /orders/{id}"})
		require.NoError(t, err)
		draw["auth-"+string(auth)] = d
	}
	var err error
	draw["er-openapi"], err = ER(string(sample.Bookshop), nil)
	require.NoError(t, err)
	draw["er-graphql"], err = ER(shopSDL, nil)
	require.NoError(t, err)
	draw["er-jsonschema"], err = ER(orderSchema, nil)
	require.NoError(t, err)
	for name, d := range draw {
		t.Run(name, func(t *testing.T) {
			valid(t, d)
			path := filepath.Join("testdata", name+".golden")
			got := d.Title + "\n" + d.Code
			if os.Getenv("UPDATE_GOLDEN") != "" {
				require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}

const shopSDL = `
type Query { order(id: ID!): Order }
type Order implements Node { id: ID! customer: Customer! lines: [Line!]! coupon: Coupon status: Status! }
type Customer implements Node { id: ID! name: String email: String! @deprecated }
type Line { bookId: ID! orderID: ID quantity: Int! }
interface Node { id: ID! }
type Coupon { code: String! }
union Found = Order | Customer
enum Status { NEW SENT }
input NewOrder { lines: [NewLine!]! }
input NewLine { quantity: Int = 1 }
extend type Customer { orders: [Order!] }
`

const orderSchema = `{
  "title": "Order", "type": "object", "required": ["id", "lines", "customer"],
  "properties": {
    "id": {"type": "string", "format": "uuid"},
    "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}},
    "customer": {"$ref": "#/$defs/Customer"},
    "replaces": {"$ref": "#"},
    "address": {"type": "object", "properties": {"country": {"$ref": "#/$defs/Country"}}},
    "state": {"enum": ["new", "sent"], "type": ["string", "null"]},
    "paid with": {"oneOf": [{"$ref": "#/$defs/Card"}, {"type": "null"}]}
  },
  "$defs": {
    "Line": {"properties": {"order_id": {"type": "string"}, "quantity": {"type": "integer"}}},
    "Customer": {"properties": {"id": {"type": "integer"}, "größe": {"type": "number"}}},
    "Country": {"properties": {"code": {"type": "string"}}},
    "Card": {"allOf": [{"properties": {"number": {"type": "string", "writeOnly": true}}}]},
    "Money": {"type": "integer"}
  }
}`
