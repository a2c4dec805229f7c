// Package web is the page at / of the server: upload, search, chat with checked
// endpoints, generated code, diagrams and documentation gaps in a browser.
//
//	handler := web.Mount(httpapi.New(assistant, httpapi.Options{}))
//	http.ListenAndServe("127.0.0.1:8000", handler)
//
// The page is a client of the HTTP interface like any other: it needs nothing
// that a curl script could not do. Its own files need no key; it asks for one
// when the server answers 401.
//
// Everything is embedded and served as it stands: no build step, no framework,
// nothing from another host. Only Mermaid, which draws diagrams, is not in the
// repository; with "go generate" it comes through npm (node needed), and without
// it the page shows a diagram as text.
//
// What a model or a document says is untrusted. The page builds it from DOM nodes
// and text only, and its policy forbids what would turn a string into markup or
// script (Trusted Types). Mermaid writes style sheets into what it draws, so it runs
// in a sandboxed frame of no origin that has a policy of its own and no network.
package web

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

//go:generate npm ci --omit=dev --ignore-scripts --no-audit --no-fund
//go:generate cp node_modules/mermaid/dist/mermaid.min.js assets/mermaid.min.js

//go:embed index.html assets
var embedded embed.FS

// mermaid is the file that draws diagrams, if "go generate" fetched it.
const mermaid = "assets/mermaid.min.js"

// Handler serves the page at / and its files below /assets/. Any other path is
// answered with 404, in the server's error shape.
func Handler() http.Handler { return page() }

// Mount serves the page in front of next, which gets every other request.
func Mount(next http.Handler) http.Handler {
	p := page()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" || strings.HasPrefix(r.URL.Path, "/assets/") {
			p.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// page is made once: what is embedded does not change.
var page = sync.OnceValue(func() site { return newSite(embedded) })

// site is the files by their exact paths: what is not in it does not exist, so
// there is no directory to list and no path to climb.
type site map[string]file

type file struct {
	content []byte
	header  map[string]string
}

// Policies. The frame in which Mermaid draws has no origin (sandbox), so it cannot
// read the key or call the server, whatever a diagram makes Mermaid do.
const (
	pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
	framePolicy = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-scripts"
	filePolicy = "default-src 'none'; frame-ancestors 'none'"
)

// Caching. A path with the hash of its content never changes; any other is asked
// for again, and answered with 304 while its ETag holds.
const (
	forever    = "public, max-age=31536000, immutable"
	revalidate = "no-cache"
)

// newSite reads the files and fills in the page. It panics if they are not those
// that it was compiled with, as template.Must does.
func newSite(files fs.FS) site {
	s := make(site)
	all := sha256.New()
	err := fs.WalkDir(files, "assets", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		fmt.Fprintf(all, "%s %d\n", name, len(content))
		all.Write(content)
		s["/"+name] = newFile(name, content)
		return err
	})
	if err != nil {
		panic(err)
	}
	// Modules import each other by relative paths, so one hash in front of all of
	// them keeps a page and its modules from the same build.
	version := "/assets/" + hex.EncodeToString(all.Sum(nil))[:16]
	for name, f := range s {
		f.header = cloneWith(f.header, "Cache-Control", forever)
		s[version+strings.TrimPrefix(name, "/assets")] = f
	}
	_, draws := s["/"+mermaid]
	var index bytes.Buffer
	if err := template.Must(template.ParseFS(files, "index.html")).Execute(&index, struct {
		Assets  string
		Mermaid bool
	}{version, draws}); err != nil {
		panic(err)
	}
	root := newFile("index.html", index.Bytes())
	root.header = cloneWith(root.header, "Content-Security-Policy", pagePolicy)
	s["/"] = root
	return s
}

func newFile(name string, content []byte) file {
	sum := sha256.Sum256(content)
	header := map[string]string{
		"Content-Type":            cmp.Or(types[path.Ext(name)], mime.TypeByExtension(path.Ext(name)), "application/octet-stream"),
		"ETag":                    `"` + hex.EncodeToString(sum[:16]) + `"`,
		"Cache-Control":           revalidate,
		"Content-Security-Policy": filePolicy,
		"X-Content-Type-Options":  "nosniff",
		"X-Frame-Options":         "DENY",
		"Referrer-Policy":         "no-referrer",
		"Permissions-Policy":      "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
	}
	if path.Base(name) == "frame.html" {
		header["Content-Security-Policy"], header["X-Frame-Options"] = framePolicy, "SAMEORIGIN"
	}
	if path.Ext(name) == ".html" {
		header["Cross-Origin-Opener-Policy"] = "same-origin"
	}
	return file{content, header}
}

// types are not left to the machine's own table, which may lack or change them.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

func cloneWith(header map[string]string, name, value string) map[string]string {
	out := map[string]string{name: value}
	for n, v := range header {
		if n != name {
			out[n] = v
		}
	}
	return out
}

// ServeHTTP answers GET and HEAD for the files.
func (s site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := s[r.URL.Path]
	switch {
	case !ok:
		refuse(w, http.StatusNotFound, "not_found", "there is nothing at this path")
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "method_not_allowed", "this path answers GET, HEAD")
	default:
		for name, value := range f.header {
			w.Header().Set(name, value)
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.content))
	}
}

// refuse answers with the shape that all errors of the server have.
func refuse(w http.ResponseWriter, status int, code, message string) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{ // the client is gone if this fails
		"error": code, "message": message, "detail": nil, "request_id": h.Get("X-Request-ID")})
}
