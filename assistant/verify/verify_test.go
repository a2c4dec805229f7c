package verify_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/assistant/ingest"
	"github.com/api-assistant/api-assistant/assistant/verify"
	"github.com/api-assistant/api-assistant/examples/sample"
)

func Example() {
	catalog := apispec.NewCatalog([]apispec.Operation{
		{API: "Shop", Method: "GET", Path: "/orders/{id}", Servers: []string{"https://api.example.com/v1"}},
		{API: "Shop", Method: "POST", Path: "/orders", Servers: []string{"https://api.example.com/v1"},
			Body: &apispec.Body{Required: true, Content: []apispec.Media{{Type: "application/json", Schema: &apispec.Schema{
				Types: []string{"object"}, Properties: []apispec.Property{{Name: "isbn", Required: true}}}}}}},
	})
	report := verify.Check(catalog, "Read it with `GET /order/17`, make one so:\n"+
		"```python\nrequests.post('https://api.example.com/v1/orders', json={'book': 1})\n```\n", verify.Options{})
	for _, e := range report.Endpoints {
		fmt.Println(e.Status, e.Mention)
	}
	for _, p := range report.Problems() {
		fmt.Println(p)
	}
	// Output:
	// unknown_path GET /order/17
	// ok https://api.example.com/v1/orders
	// GET /order/17 does not exist; the nearest real operations are GET /orders/{id}, POST /orders.
	// Code block 1, POST /orders: the body lacks the required field /isbn.
	// Code block 1, POST /orders: the body has no field /book.
}

// read ingests a file for a catalogue.
func read(t testing.TB, name string, content []byte) []apispec.Operation {
	s, err := ingest.Parse(t.Context(), name, bytes.NewReader(content), ingest.Options{})
	require.NoError(t, err)
	var ops []apispec.Operation
	for _, d := range s.Documents {
		if d.Metadata["content_type"] == "endpoint" {
			var o apispec.Operation
			require.NoError(t, json.Unmarshal(d.Data, &o))
			ops = append(ops, o)
		}
	}
	return ops
}

func bookshop(t testing.TB) *apispec.Catalog {
	return apispec.NewCatalog(read(t, sample.BookshopName, sample.Bookshop))
}

// show is a report in short: endpoints that are not checked are left out, and ok
// is not said.
func show(r verify.Report) string {
	var out []string
	for _, e := range r.Endpoints {
		switch e.Status {
		case apispec.NotChecked:
		case apispec.OK:
			out = append(out, e.Mention)
		default:
			out = append(out, fmt.Sprintf("%s:%s", e.Status, e.Mention))
		}
	}
	for _, c := range r.Code {
		for _, p := range c.Problems {
			out = append(out, fmt.Sprintf("%d:%s", c.Index, p))
		}
	}
	return strings.Join(out, ", ")
}

func code(language, source string) string { return "```" + language + "\n" + source + "\n```\n" }

func TestProse(t *testing.T) {
	for text, want := range map[string]string{
		"Use GET /books.":                 "GET /books",
		"**GET** `/books/{isbn}`, then":   "GET** `/books/{isbn}",
		"`GET /books?genre=poetry`":       "GET /books?genre=poetry",
		"GET /books and again GET /books": "GET /books, GET /books",
		"see https://example.org/x":       "",
		"GET /books/<isbn>/reviews":       "GET /books/<isbn>/reviews",
		"PATCH /books":                    "wrong_method:PATCH /books",
		"WIDGET /books, path /ok":         "/books",
		"| POST | `/books/{isbn}` |":      "wrong_method:POST | `/books/{isbn}",
		"| Method | Path |\n|---|---|\n| GET | /books |\n| PUT | /books |":          "GET | /books, wrong_method:PUT | /books",
		"Send a POST to `/orders`; never mind and/or.":                              "/orders",
		"A PUT request to `/orders` replaces all.":                                  "wrong_method:/orders",
		"PUT them all at `/orders`":                                                 "wrong_method:/orders",
		"`/orders` (PUT) does it":                                                   "wrong_method:/orders",
		"`/orders` with a PUT":                                                      "wrong_method:/orders",
		"send a delete request to `/books`":                                         "wrong_method:/books",
		"`/order/{id}` has it":                                                      "unknown_path:/order/{id}",
		"Call `get /order/{id}`":                                                    "unknown_path:get /order/{id}",
		"There is no `DELETE /books` endpoint.":                                     "",
		"`DELETE /books` does not exist.":                                           "",
		"On your own server add `POST /login`.":                                     "",
		"With Stripe it would be `POST /v1/charges`.":                               "",
		"Use `placeOrder` or `getBook`.":                                            "placeOrder, getBook",
		"`rateBook` is old":                                                         "deprecated:rateBook",
		"`POST /books/{isbn}/reviews`":                                              "deprecated:POST /books/{isbn}/reviews",
		"https://api.bookshop.example/v1/books/1 is one":                            "https://api.bookshop.example/v1/books/1",
		"https://api.bookshop.example:443/v1/books":                                 "https://api.bookshop.example:443/v1/books",
		"https://api.bookshop.example/v2/books":                                     "unknown_path:https://api.bookshop.example/v2/books",
		"https://api.bookshop.example/v1":                                           "",
		"The base is `https://api.bookshop.example/v1/`.":                           "",
		"api.bookshop.example/v1/books is it":                                       "api.bookshop.example/v1/books",
		"`{base_url}/books` and `$BASE_URL/bookz`":                                  "{base_url}/books, unknown_path:$BASE_URL/bookz",
		"[list](https://api.bookshop.example/v1/books)":                             "https://api.bookshop.example/v1/books",
		"[docs](/docs/books) and <b>bold</b> <br/>":                                 "",
		"In /etc/hosts, `src/api/books.ts`, ./books and ~/books":                    "",
		"application/json, text/plain, 1/2, 24/7, 2024/01/05, TCP/IP":               "",
		"`/^\\/books\\/\\d+$/` or `/books/.*` in the router":                        "",
		"@types/node, origin/main, library/redis:7, 10.0.0.0/8":                     "",
		"Run it with `--path /data/books` and `/help`":                              "",
		"Read `/books/{isbn}`, `/books/{isbn}/cover`, `/books/{isbn}/reviews`":      "/books/{isbn}, unknown_path:/books/{isbn}/cover, /books/{isbn}/reviews",
		"GET `/books` lists, POST `/books` adds, DELETE `/books` clears":            "GET `/books, POST `/books, wrong_method:DELETE `/books",
		"GET/PUT `/orders/{order_id}`":                                              "GET/PUT `/orders/{order_id}, wrong_method:GET/PUT `/orders/{order_id}",
		"http://localhost:8000/books and https://other.example/v1/orders/x/y":       "",
		"GET, in HTTP, is safe. So is HEAD; POST is not":                            "",
		"`/v1/books` and `/v1/book`":                                                "/v1/books, unknown_path:/v1/book",
		"`/books/:isbn`, `/books/%7Bisbn%7D`, `/books/ISBN`, `/books/978-3`":        "/books/:isbn, /books/%7Bisbn%7D, /books/ISBN, /books/978-3",
		code("json", `{"path": "/books/x/y", "url": "/order/1"}`):                   "",
		code("", "GET /books\nGET /bookz"):                                          "GET /books, unknown_path:GET /bookz",
		code("ruby", "Net::HTTP.get(URI('https://api.bookshop.example/v1/bookz'))"): "unknown_path:https://api.bookshop.example/v1/bookz",
		code("php", `$u = "https://api.bookshop.example/v1/books/" . $isbn;`):       "",
	} {
		got := verify.Check(bookshop(t), text, verify.Options{})
		assert.Equal(t, want, show(got), text)
		findings := 0
		for _, status := range []apispec.Status{apispec.UnknownPath, apispec.WrongMethod, apispec.Deprecated, apispec.Ambiguous} {
			findings += strings.Count(want, string(status)+":")
		}
		require.Equal(t, findings == 0, got.OK(), text)
		require.Equal(t, findings == 0, len(got.Problems()) == 0, text)
	}
}

func TestCode(t *testing.T) {
	const host = "https://api.bookshop.example/v1"
	problems := func(language, source string, want ...string) {
		t.Helper()
		var got []string
		r := verify.Check(bookshop(t), code(language, source), verify.Options{})
		require.NotEmpty(t, r.Code, source)
		for _, c := range r.Code {
			got = append(got, c.Problems...)
		}
		for _, e := range r.Endpoints {
			if e.Status != apispec.OK {
				got = append(got, string(e.Status))
			}
		}
		assert.ElementsMatch(t, want, got, source)
	}
	problems("bash", "curl "+host+"/books", "missing_auth")
	problems("bash", "curl -H 'X-Bookshop-Key: k' "+host+"/books/search?q=a")
	problems("bash", "curl -H 'X-Bookshop-Key: k' "+host+"/books/search", "missing_required_parameter:query:q")
	problems("bash", "URL="+host+"\nexport KEY=1\ncurl -s -G \"$URL/books/search\" -H \"X-Bookshop-Key: $KEY\" -d q=a | jq .")
	problems("bash", "curl $OPTIONS "+host+"/books $MORE")
	problems("bash", "curl -X PUT "+host+"/orders -H 'Authorization: Bearer x'", "wrong_method")
	problems("bash", "$ curl -XPATCH "+host+"/books/1 -H 'Authorization: x' --json '{\"price\": 1, \"color\": 2}'", "unknown_body_field:/color")
	problems("python", "import requests\nrequests.get('"+host+"/books/search', params={'page': 1}, headers={'X-Bookshop-Key': KEY})", "missing_required_parameter:query:q")
	problems("python", "import requests\nrequests.get('"+host+"/books/search', params=params, headers=headers)")
	problems("python", "import requests\nr = requests.get(\n    '"+host+"/books/search?q={}'.format(q),\n    headers={'X-Bookshop-Key': key},\n)")
	problems("python", "BASE = '"+host+"'\ndef f(isbn, price):\n    payload = {'price': price}\n    payload['colour'] = 1\n    return requests.patch(BASE + '/books/%s' % isbn, json=payload, headers={**auth()})", "unknown_body_field:/colour")
	problems("python", "import urllib.request, json\nreq = urllib.request.Request('"+host+"/books/1', data=json.dumps({'price': 1}).encode(), method='PATCH')\nreq.add_header('Content-Type', 'application/json')\nreq.add_header('Authorization', 'x')\nurllib.request.urlopen(req)")
	problems("js", "const base = '"+host+"';\nconst r = await fetch(`${base}/books/${isbn}`, {method: 'PATCH', headers: {'Content-Type': 'application/json', authorization: t}, body: JSON.stringify({price, tint: 1})});", "unknown_body_field:/tint")
	problems("js", "const r = await fetch('"+host+"/books');", "missing_auth")
	problems("js", "const p = new URLSearchParams({page: 1});\nfetch(`"+host+"/books/search?${p}`, {headers: {'X-Bookshop-Key': k}})", "missing_required_parameter:query:q")
	problems("js", "const p = new URLSearchParams();\np.set('q', 'x');\nfetch('"+host+"/books/search?' + p.toString(), {headers})")
	problems("ts", "const c = axios.create({ baseURL: '"+host+"' });\nexport const f = async (isbn: string): Promise<Book> => {\n  const { data } = await c.get<Book>(`/book/${isbn}`);\n  return data;\n};", "unknown_path")
	problems("ts", "axios({method: 'patch', url: '"+host+"/books/1', data: {price: 1, x: 2}, headers: {Authorization: t}})", "unknown_body_field:/x")
	problems("go", "req, err := http.NewRequest(http.MethodPatch, \""+host+"/books/\"+isbn, strings.NewReader(`{\"price\": 1}`))\nif err != nil {\n\treturn err\n}\nreq.Header.Set(\"Content-Type\", \"application/json\")\nreq.Header.Set(\"Authorization\", \"Bearer \"+t)\nresp, err := http.DefaultClient.Do(req)")
	problems("go", "q := url.Values{\"page\": {\"1\"}}\nreq, _ := http.NewRequest(\"GET\", \""+host+"/books/search?\"+q.Encode(), nil)\nreq.Header.Add(\"X-Bookshop-Key\", key)", "missing_required_parameter:query:q")
	problems("go", "data, _ := json.Marshal(map[string]interface{}{\"price\": 1, \"size\": 2})\nreq, _ := http.NewRequest(\"PATCH\", fmt.Sprintf(\"%s/books/%s\", \""+host+"\", isbn), bytes.NewReader(data))\nreq.Header.Set(\"Authorization\", t)\nreq.Header.Set(\"Content-Type\", \"application/json\")", "unknown_body_field:/size")
	problems("go", "for _, id := range ids {\n\tresp, err := http.Get(\""+host+"/books/\" + id)\n}", "missing_auth")
	problems("java", "var r = HttpRequest.newBuilder(URI.create(\""+host+"/books/\" + isbn)).header(\"Authorization\", t).method(\"PATCH\", HttpRequest.BodyPublishers.ofString(\"{\\\"price\\\": 1}\")).header(\"Content-Type\", \"application/json\").build();")
	problems("java", "Request request = new Request.Builder()\n  .url(\""+host+"/books\")\n  .get()\n  .build();\nResponse response = client.newCall(request).execute();", "missing_auth")
	problems("http", "GET /v1/books HTTP/1.1\nHost: api.bookshop.example\n", "missing_auth")
	problems("http", "GET "+host+"/bookz\nX-Bookshop-Key: x\n", "unknown_path")
	problems("", "curl "+host+"/books", "missing_auth")
	r := verify.Check(bookshop(t), code("python", "app = FastAPI()\n@app.get('/book/{id}')\ndef f(id): pass\ncache.get('/bookz')\nrequests.get(BASE + path)\nrequests.get(url)\n"), verify.Options{})
	require.Empty(t, r.Code)
	require.Empty(t, show(r))
}

func TestOtherServers(t *testing.T) {
	c := apispec.NewCatalog([]apispec.Operation{
		{API: "A", Method: "GET", Path: "/pet/{id}", Servers: []string{"/api/v3"}},
		{API: "A", Method: "POST", Path: "/v1/{parent}/{name}:cancel", Servers: []string{"https://ops.example.com", "https://{region}.ops.example.com:8443/"}},
		{API: "A", Method: "GET", Path: "/v1/{parent}/{name}", Servers: []string{"https://ops.example.com"}},
		{API: "B", Method: "GET", Path: "/zones", Servers: []string{"https://dns.example.net/v2"}},
	})
	for text, want := range map[string]string{
		"`GET /api/v3/pet/1`, `GET /pet/1`":                            "GET /api/v3/pet/1, GET /pet/1",
		"`GET /api/v3/pets/1`":                                         "unknown_path:GET /api/v3/pets/1",
		"`POST /v1/{parent}/{name}:cancel`":                            "POST /v1/{parent}/{name}:cancel",
		"`POST /v1/a/b:cancel`":                                        "POST /v1/a/b:cancel",
		"`POST /v1/{parent}/{name}:stop`":                              "unknown_path:POST /v1/{parent}/{name}:stop",
		"`GET https://eu.ops.example.com:8443/v1/a/b:cancel`":          "wrong_method:GET https://eu.ops.example.com:8443/v1/a/b:cancel",
		"https://dns.example.net/v2/zones":                             "https://dns.example.net/v2/zones",
		"https://ops.example.com/v2/zones":                             "unknown_path:https://ops.example.com/v2/zones",
		"`GET https://api.example.org/pet/1`, http://127.0.0.1/zones/": "",
	} {
		assert.Equal(t, want, show(verify.Check(c, text, verify.Options{})), text)
	}
	only := verify.Check(c, "`GET /zones` and `GET /pet/1`", verify.Options{API: "A"})
	require.Equal(t, "unknown_path:GET /zones, GET /pet/1", show(only))
	require.Empty(t, verify.Check(apispec.NewCatalog(nil), "GET /x", verify.Options{}).Endpoints)
	text, err := json.Marshal(verify.Check(nil, "", verify.Options{}))
	require.NoError(t, err)
	require.JSONEq(t, `{"endpoints": [], "code": []}`, string(text))
}

func TestGraphQL(t *testing.T) {
	schema, err := os.ReadFile("../ingest/testdata/api/shop.graphql")
	require.NoError(t, err)
	c := apispec.NewCatalog(read(t, "shop.graphql", schema))
	for text, want := range map[string]string{
		code("graphql", "query Q($id: ID!) { order(id: $id) { id status } }"):       "order",
		code("graphql", "{ orders { id } }"):                                        "orders",
		code("graphql", "{ order { id } }"):                                         "order, 0:missing_required_parameter:argument:id",
		code("graphql", "{ o: orders(limit: 3) { id } }"):                           "orders, 0:unknown_argument:limit",
		code("graphql", "mutation { placeOrders(input: {}) { id } }"):               "unknown_path:placeOrders",
		code("graphql", "query { placeOrder(input: {lines: []}) { id } }"):          "wrong_method:placeOrder",
		code("graphql", "mutation { ship(id: 1) { id } }"):                          "deprecated:ship",
		code("graphql", "# é\n{ __typename ...F }\nfragment F on Query { todays }"): "unknown_path:todays",
		code("graphql", "type Query { other: Int }"):                                "",
		"The field `query order(id: 1)`, `mutation placeOrderz`, `placeOrder`":      "query order, unknown_path:mutation placeOrderz, placeOrder",
		"`query GetOrder { order }` GET /x":                                         "",
	} {
		assert.Equal(t, want, show(verify.Check(c, text, verify.Options{})), text)
	}
}
