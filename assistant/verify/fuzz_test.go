package verify_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/assistant/verify"
)

// FuzzCheck reads any text in any language without a panic; mentions stand in it
// as quoted, and the same text has the same report.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{
		"GET /books", "**POST** `/orders`", "https://api.bookshop.example/v1/books?x=[1]", "GET /a/<b>/c) [1]", "DELETE //", "| GET | /x |", "`{base}/x` $A/b <host>/c",
		code("bash", "X=1; curl -sS -XPOST \\\n \"$A/b\" -d @- <<'E' | jq\n{\"a\": 1}\nE\n"), code("http", "POST /v1/books HTTP/1.1\nHost: a\n\n{}"),
		code("python", "s = requests.Session()\ns.headers['a'] = f'{x[\"y\"]}'\ns.post(f'{B}/books', json={**a, 'b': [c for c in d]}, **k)"),
		code("js", "const {a, b: [c]} = await axios.create({baseURL}).get(`/books/${x?.y ?? `z${w}`}`, {params: {...p}}) as any"),
		code("go", "m := map[string]any{\"a\": []T{{X: 1}}}\nfor _, x := range y { http.Get(fmt.Sprintf(\"%s/%d\", x, 1)) }"),
		code("java", "HttpRequest.newBuilder().uri(URI.create(\"\" + x)).POST(a -> b).build();"), code("graphql", "{ a(b: {c: [1]}) { d } }"), code("", "{{{{((((["),
	} {
		f.Add(s)
	}
	catalog := bookshop(f)
	f.Fuzz(func(t *testing.T, text string) {
		r := verify.Check(catalog, text, verify.Options{})
		for _, e := range r.Endpoints {
			require.Equal(t, e.Mention, text[e.Start:e.End])
			require.NotEmpty(t, e.Status)
		}
		require.Equal(t, r.OK(), len(r.Problems()) == 0)
		again := verify.Check(catalog, text, verify.Options{})
		require.Equal(t, r.Problems(), again.Problems())
		for _, language := range []string{"bash", "python", "js", "go", "java", "http", "graphql"} {
			verify.Check(catalog, code(language, text), verify.Options{})
		}
	})
}

// TestHostile repeats what nests or grows; it would not end if the time were not
// linear.
func TestHostile(t *testing.T) {
	catalog := bookshop(t)
	for _, s := range []string{"(", "[", "{", "`", "```\n", "GET ", "/a", "GET /a\n", "<a", "{a}/", "f'{", "${", "`${", "a(", "a.b", "\"\\", "|", "| GET | /b |\n", "a = a + a\n", "x => ", "https://", "/*", "if (",
		"requests.get('https://api.bookshop.example/v1/books')\n", "POST it to ", "a b ", "$(", "<<E\n", "import x as ", "a=b&", "func(", "map[string]", "'''", "new "} {
		long := strings.Repeat(s, 10_000/len(s))
		for _, language := range []string{"-", "", "bash", "python", "js", "go", "java", "http", "graphql"} {
			text := long
			if language != "-" {
				text = code(language, long)
			}
			r := verify.Check(catalog, text, verify.Options{})
			require.LessOrEqual(t, len(r.Endpoints), 2000)
		}
	}
}

// large is a catalogue of n operations, and an answer of 10 KB about them.
func large(n int) (*apispec.Catalog, string) {
	var ops []apispec.Operation
	things := []string{"orders", "customers", "invoices", "payments", "shipments", "products", "refunds", "webhooks", "accounts", "reports"}
	for i := range n {
		thing := fmt.Sprintf("%s%d", things[i%10], i/40)
		op := apispec.Operation{API: "Large", Method: []string{"GET", "POST", "PUT", "DELETE"}[i/10%4], Path: "/" + thing + "/{id}", Servers: []string{"https://api.example.com/v1"}, OperationID: fmt.Sprintf("operation%d", i)}
		if i%3 == 0 {
			op.Path += "/lines/{line}"
		}
		ops = append(ops, op)
	}
	var b strings.Builder
	for i := 0; b.Len() < 10_000; i++ {
		op := ops[i*37%n]
		fmt.Fprintf(&b, "Step %d. Call `%s` and look at the fields `id` and `name` of the answer, then go on.\n\n", i, op.Endpoint())
		if i%8 == 0 {
			b.WriteString("Not `GET /" + things[i%10] + "/{id}/line`, which is older.\n\n")
			b.WriteString(code("python", "import requests\nr = requests.post(f\"https://api.example.com/v1"+op.Path+"\",\n    headers={\"Authorization\": f\"Bearer {token}\"}, json={\"name\": \"x\", \"lines\": [{\"a\": 1}]})\nprint(r.json())"))
		}
	}
	return apispec.NewCatalog(ops), b.String()
}

// BenchmarkCheck checks an answer of 10 KB against 1,000 operations.
func BenchmarkCheck(b *testing.B) {
	catalog, text := large(1000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		verify.Check(catalog, text, verify.Options{})
	}
}
