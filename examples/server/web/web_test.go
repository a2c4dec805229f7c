package web

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func Example() {
	api := http.NotFoundHandler() // httpapi.New(assistant, httpapi.Options{}), say
	w := httptest.NewRecorder()
	Mount(api).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	// Output: 200 text/html; charset=utf-8
}

func call(h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/", nil)
	r.URL.Path = path
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

var assetLink = regexp.MustCompile(`"(/assets/[^"]+)"`)

func TestPage(t *testing.T) {
	w := call(Handler(), "GET", "/")
	require.Equal(t, 200, w.Code)
	policy := w.Header().Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "connect-src 'self';", "base-uri 'none'",
		"frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'"} {
		require.Contains(t, policy, part)
	}
	require.NotContains(t, policy, "unsafe")
	require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	require.Equal(t, "DENY", w.Header().Get("X-Frame-Options"))
	require.Equal(t, "no-referrer", w.Header().Get("Referrer-Policy"))
	body := w.Body.String()
	require.NotRegexp(t, `(?i)<style|\sstyle=|\son\w+=|<script(>|[^>]*[^>/]>[^<]+</script>)`, body, "nothing inline")
	require.NotRegexp(t, `(?:src|href)="(?:https?:)?//`, body, "nothing from another host")

	links := assetLink.FindAllStringSubmatch(body, -1)
	require.GreaterOrEqual(t, len(links), 4)
	for _, link := range links {
		got := call(Handler(), "GET", link[1])
		require.Equal(t, 200, got.Code, link[1])
		require.Equal(t, forever, got.Header().Get("Cache-Control"), link[1])
	}
}

func TestCaching(t *testing.T) {
	for _, path := range []string{"/", "/assets/app.js"} {
		first := call(Handler(), "GET", path)
		require.Equal(t, 200, first.Code)
		require.Equal(t, revalidate, first.Header().Get("Cache-Control"))
		tag := first.Header().Get("ETag")
		require.Regexp(t, `^"[0-9a-f]{32}"$`, tag)
		again := call(Handler(), "GET", path, "If-None-Match: "+tag)
		require.Equal(t, 304, again.Code)
		require.Empty(t, again.Body.String())
		require.Equal(t, 200, call(Handler(), "GET", path, `If-None-Match: "other"`).Code)

		head := call(Handler(), "HEAD", path)
		require.Equal(t, 200, head.Code)
		require.Empty(t, head.Body.String())
		require.Equal(t, first.Header().Get("Content-Length"), head.Header().Get("Content-Length"))
	}
}

func TestFrameIsIsolated(t *testing.T) {
	policy := call(Handler(), "GET", "/assets/frame.html").Header().Get("Content-Security-Policy")
	require.Contains(t, policy, "sandbox allow-scripts")
	require.NotContains(t, policy, "allow-same-origin")
	require.NotContains(t, policy, "connect-src")
	require.NotRegexp(t, `script-src[^;]*unsafe`, policy)
}

func TestWhatIsNotThere(t *testing.T) {
	for _, path := range []string{"/assets", "/assets/", "/assets/nothing.js", "/assets/../web.go", "/assets/../../main.go", "/assets//app.js",
		"/assets/./app.js", "/assets/..%2fweb.go", "/assets/0123456789abcdef/app.js", "/index.html", "/web.go", "/.gitignore", "", "/assets/\x00"} {
		w := call(Handler(), "GET", path)
		require.Equal(t, 404, w.Code, path)
		require.Equal(t, "application/json; charset=utf-8", w.Header().Get("Content-Type"))
		var body map[string]any
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
		require.Equal(t, "not_found", body["error"])
		require.Contains(t, body, "request_id")
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
		w := call(Handler(), method, "/")
		require.Equal(t, 405, w.Code)
		require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
	}
}

func TestMount(t *testing.T) {
	h := Mount(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	require.Equal(t, 200, call(h, "GET", "/").Code)
	require.Equal(t, 404, call(h, "GET", "/assets/nothing").Code)
	for _, path := range []string{"/search", "/assets", "//", "/health", "/assetsx/app.js"} {
		require.Equal(t, http.StatusTeapot, call(h, "GET", path).Code, path)
	}
}

// TestNoMarkupFromStrings holds the page's own scripts to their rule. Trusted
// Types would stop these at run time too; frame.js, which has no origin, parses
// what Mermaid drew.
func TestNoMarkupFromStrings(t *testing.T) {
	scripts, err := fs.Glob(embedded, "assets/*.js")
	require.NoError(t, err)
	require.Greater(t, len(scripts), 10)
	for _, name := range scripts {
		if name == mermaid {
			continue
		}
		source, err := fs.ReadFile(embedded, name)
		require.NoError(t, err)
		require.NotRegexp(t, `innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|\beval\(|new Function|createContextualFragment`, string(source), name)
		if name != "assets/frame.js" {
			require.NotContains(t, string(source), "parseFromString", name)
		}
	}
}

// TestScripts runs the tests of the scripts that need no browser.
func TestScripts(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node: the tests of the Markdown renderer and the event reader do not run")
	}
	tests, err := fs.Glob(os.DirFS("."), "scripttest/*.test.js")
	require.NoError(t, err)
	require.NotEmpty(t, tests)
	out, err := exec.Command(node, append([]string{"--test"}, tests...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}
