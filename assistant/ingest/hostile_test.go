package ingest_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/ingest"
)

const tiny = `{"openapi": "3.0.0", "info": {"title": "T"}, "paths": {"/a": {"get": {"summary": "ä"}}}}`

func utf16Text(s string, little, mark bool) string {
	var b []byte
	units := utf16.Encode([]rune(s))
	if mark {
		units = append([]uint16{0xfeff}, units...)
	}
	for _, u := range units {
		if little {
			b = append(b, byte(u), byte(u>>8))
		} else {
			b = append(b, byte(u>>8), byte(u))
		}
	}
	return string(b)
}

func gzipped(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(s))
	_ = z.Close()
	return b.String()
}

func tarred(t testing.TB, name, content string) string {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Size: int64(len(content)), Mode: 0o644, Typeflag: tar.TypeReg}))
	_, err := w.Write([]byte(content))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

// pdfOf is a PDF file of the given objects, numbered from 1; the first is the
// catalogue.
func pdfOf(trailer string, objects ...string) string {
	var b strings.Builder
	b.WriteString("%PDF-1.4\n")
	for i, o := range objects {
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	return b.String() + "trailer\n<< /Root 1 0 R " + trailer + " >>\n"
}

func flateStream(content string) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write([]byte(content))
	_ = z.Close()
	return fmt.Sprintf("<< /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream", b.Len(), b.String())
}

// hostile are files that have hurt parsers, and what must become of them: an
// error of a kind, or documents (nil).
func hostile(t testing.TB) map[string]struct {
	name, content string
	want          error
	place         string // of the error
} {
	const onePage = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
	type test = struct {
		name, content string
		want          error
		place         string
	}
	nested := func(n int) string { return strings.Repeat("[", n) }
	return map[string]test{
		"truncated JSON":              {"a.json", "{\"openapi\": \"3.0.0\",\n \"paths\": {\"/a\": ", ingest.ErrSyntax, "a.json:2:18"},
		"truncated in a string":       {"a.json", "{\n\"open", ingest.ErrSyntax, "a.json:2:6"},
		"truncated YAML":              {"a.yaml", "openapi: 3.0.0\npaths: {\"/a\": {", ingest.ErrSyntax, "a.yaml:2"},
		"bad escape":                  {"a.json", `{"a": "\x"}`, ingest.ErrSyntax, "a.json:1:8"},
		"bad number":                  {"a.json", `{"a": 01}`, ingest.ErrSyntax, "a.json:1:7"},
		"two values":                  {"a.json", `{"a": 1} {}`, ingest.ErrSyntax, "a.json:1:10"},
		"UTF-8 with a mark":           {"a.json", "\ufeff" + tiny, nil, ""},
		"UTF-16, little":              {"a.json", utf16Text(tiny, true, true), nil, ""},
		"UTF-16, big":                 {"a.json", utf16Text(tiny, false, true), nil, ""},
		"UTF-16 without a mark":       {"a.json", utf16Text(tiny, true, false), nil, ""},
		"UTF-16, big, without a mark": {"a.json", utf16Text(tiny, false, false), nil, ""},
		"Latin-1":                     {"a.json", "{\"a\":\n\"\xe4\"}", ingest.ErrEncoding, "a.json:2:2"},
		"Latin-1 in HTML":             {"a.html", "<html><meta charset=\"iso-8859-1\"><p>\xe4rger</p>", nil, ""},
		"alias bomb, data":            {"a.yaml", "a: &a [" + strings.Repeat("lol,", 9) + "]\n" + bomb(9), nil, ""},
		"alias of itself":             {"a.yaml", "a: &a [*a]", ingest.ErrSyntax, "a.yaml:1:8"},
		"merge bomb":                  {"a.yaml", mergeBomb(), ingest.ErrSyntax, "a.yaml:"},
		"deep JSON":                   {"a.json", nested(50_000), ingest.ErrSyntax, "a.json:1:201"},
		"deep JSON objects":           {"a.json", strings.Repeat(`{"a":`, 50_000), ingest.ErrSyntax, "a.json:1:1001"},
		"deep YAML":                   {"a.yaml", nested(50_000), ingest.ErrSyntax, "a.yaml:1:"},
		"deep YAML lists":             {"a.yaml", strings.Repeat("- ", 50_000) + "x", ingest.ErrSyntax, "a.yaml"},
		"deep YAML maps":              {"a.yaml", strings.Repeat("? ", 50_000) + "x", ingest.ErrSyntax, "a.yaml"},
		"deep GraphQL type":           {"a.graphql", "type Q { a: " + nested(50_000), ingest.ErrSyntax, "a.graphql:1:"},
		"deep GraphQL value":          {"a.graphql", "type Q { a(b: X = " + nested(50_000), ingest.ErrSyntax, "a.graphql:1:"},
		"unfinished GraphQL":          {"a.graphql", "type Query {\n a: String", ingest.ErrSyntax, "a.graphql:2:"},
		"deep Markdown quotes":        {"a.md", strings.Repeat(">", 50_000) + " x", nil, ""},
		"deep Markdown lists":         {"a.md", strings.Repeat("- ", 50_000) + " x", nil, ""},
		"Markdown, growing":           {"a.md", growing(1500), nil, ""},
		"Markdown brackets":           {"a.md", nested(500_000) + "](x)", nil, ""},
		"Markdown stars":              {"a.md", strings.Repeat("*a **b ", 100_000), nil, ""},
		"deep HTML":                   {"a.html", strings.Repeat("<div>", 50_000) + "x", ingest.ErrSyntax, "a.html"},
		"HTML attributes":             {"a.html", "<p " + strings.Repeat("a=1 ", 500_000) + ">x", nil, ""},
		"deep Postman":                {"a.json", `{"info": {"name": "x", "schema": "getpostman.com"}, ` + strings.Repeat(`"item": [{`, 50_000), ingest.ErrSyntax, "a.json:1:"},
		"no full stop":                {"a.txt", strings.Repeat("x", 3_000), nil, ""},
		"no full stop, words":         {"a.md", strings.Repeat("word ", 600), nil, ""},
		"no full stop, 5 MB":          {"a.txt", strings.Repeat("ä", 2_500_000), nil, ""},
		"one long row":                {"a.csv", "a,b\n" + strings.Repeat("x", 3_000_000) + ",1\n", nil, ""},
		"open quote in CSV":           {"a.csv", "a,b\n\"" + strings.Repeat("x\n", 500_000), nil, ""},
		"many columns":                {"a.csv", strings.Repeat("a,", 5_000) + "\n", ingest.ErrTooLarge, "a.csv:1"},
		"empty":                       {"a.pdf", "", ingest.ErrEmpty, "a.pdf"},
		"only a mark":                 {"a.txt", "\ufeff", ingest.ErrEmpty, "a.txt"},
		"only white space":            {"a.csv", " \n", ingest.ErrEmpty, "a.csv"},
		"no text in HTML":             {"a.html", "<html><script>x</script></html>", ingest.ErrEmpty, "a.html"},
		"empty object":                {"a.json", "{}", ingest.ErrEmpty, "a.json"},
		"DOCX bomb":                   {"a.docx", string(zipped(t, word(strings.Repeat("<w:p/>", 3_000_000)))), ingest.ErrTooLarge, "a.docx"},
		"DOCX, deep":                  {"a.docx", string(zipped(t, word(strings.Repeat("<w:tbl><w:tr><w:tc>", 50_000)))), ingest.ErrEmpty, "a.docx"},
		"DOCX without a body":         {"a.docx", string(zipped(t, map[string]string{"word/document.xml.rels": ""})), ingest.ErrSyntax, "a.docx"},
		"DOCX, cut":                   {"a.docx", string(letterDOCX(t)[:500]) + "word/document.xml", ingest.ErrSyntax, "a.docx"},
		"DOCX with a password":        {"a.docx", "\xd0\xcf\x11\xe0" + strings.Repeat("\x00", 600), ingest.ErrEncrypted, "a.docx"},
		"zip bomb":                    {"a.zip", string(zipped(t, map[string]string{"a.txt": strings.Repeat(" ", 40<<20)})), ingest.ErrTooLarge, "a.zip"},
		"zip, cut":                    {"a.zip", string(zipped(t, map[string]string{"a.json": tiny})[:60]), ingest.ErrSyntax, "a.zip"},
		"zip of nothing":              {"a.zip", string(zipped(t, map[string]string{"a.exe": "MZ"})), ingest.ErrEmpty, "a.zip"},
		"gzip bomb":                   {"a.tar.gz", gzipped(tarred(t, "a.txt", strings.Repeat(" ", 40<<20))), ingest.ErrTooLarge, "a.tar.gz"},
		"gzip of no tar":              {"a.gz", gzipped("hello"), ingest.ErrSyntax, "a.gz"},
		"encrypted PDF":               {"a.pdf", pdfOf("/Encrypt 2 0 R", "<< /Type /Catalog >>", "<< /Filter /Standard >>"), ingest.ErrEncrypted, "a.pdf"},
		"PDF of nothing":              {"a.pdf", "%PDF-1.4\n", ingest.ErrSyntax, "a.pdf"},
		"PDF without text":            {"a.pdf", pdfOf("", "<< /Pages 2 0 R >>", onePage, "<< /Type /Page >>"), ingest.ErrEmpty, "a.pdf"},
		"PDF of itself":               {"a.pdf", pdfOf("/Prev 9", "<< /Pages 2 0 R >>", "<< /Kids [2 0 R 2 0 R 1 0 R] >>", "3 0 R"), ingest.ErrEmpty, "a.pdf"},
		"PDF, deep":                   {"a.pdf", pdfOf("", "<< /Pages "+strings.Repeat("[", 1_000_000)+" >>"), ingest.ErrSyntax, "a.pdf"},
		"PDF, open strings":           {"a.pdf", "%PDF-1.4\n" + strings.Repeat("1 0 obj(", 300_000), ingest.ErrSyntax, "a.pdf"},
		"PDF, open strings of many":   {"a.pdf", "%PDF-1.4\n" + many(100_000, "%d 0 obj("), ingest.ErrTooLarge, "a.pdf"},
		"PDF bomb": {"a.pdf", pdfOf("", "<< /Pages 2 0 R >>", onePage, "<< /Type /Page /Contents 4 0 R >>",
			flateStream(strings.Repeat(" ", 40<<20))), ingest.ErrTooLarge, "a.pdf"},
		"PDF of forms": {"a.pdf", pdfOf("", "<< /Pages 2 0 R >>", onePage,
			"<< /Type /Page /Contents 4 0 R /Resources << /XObject << /F 4 0 R >> >> >>",
			strings.Replace(flateStream(strings.Repeat("/F Do ", 100)), "<<", "<< /Subtype /Form", 1)), ingest.ErrEmpty, "a.pdf"},
	}
}

func many(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i+1)
	}
	return b.String()
}

// bomb doubles an alias often.
func bomb(levels int) string {
	var b strings.Builder
	for i := range levels {
		c := rune('a' + i)
		fmt.Fprintf(&b, "%c: &%c [%s]\n", c+1, c+1, strings.Repeat(fmt.Sprintf("*%c,", c), 9))
	}
	return b.String()
}

// mergeBomb merges a large map often.
func mergeBomb() string {
	return "a: &a {" + many(10_000, "k%d: 1, ") + "}\nb: {<<: [" + strings.Repeat("*a, ", 10_000) + "]}\n"
}

// growing are n lines, each deeper in lists than the one before.
func growing(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat("  ", i%100) + "- x\n")
	}
	return b.String()
}

// TestHostile never asserts times; -v shows them with what was allocated. The
// promise is 2 s and 200 MB at any moment for each file.
func TestHostile(t *testing.T) {
	for title, test := range hostile(t) {
		t.Run(title, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			s, err := ingest.Parse(t.Context(), test.name, strings.NewReader(test.content), ingest.Options{MaxBytes: 8 << 20})
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			t.Logf("%v, %d MB allocated in all: %.150v", took.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20, err)
			if test.want == nil {
				require.NoError(t, err)
				valid(t, s)
				return
			}
			var e *ingest.Error
			require.ErrorAs(t, err, &e)
			require.ErrorIs(t, err, test.want)
			require.True(t, strings.HasPrefix(err.Error(), test.place), err.Error())
		})
	}
}
