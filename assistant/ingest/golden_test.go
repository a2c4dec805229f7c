package ingest_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/ingest"
	"github.com/api-assistant/api-assistant/examples/sample"
)

// TestGolden holds the documents of one small file per format to a file: a change
// of what search and prompts see must be seen in review. UPDATE_GOLDEN=1 writes
// them.
func TestGolden(t *testing.T) {
	files := map[string][]byte{sample.BookshopName: sample.Bookshop, "letter.docx": letterDOCX(t), "letter.pdf": letterPDF()}
	names, err := filepath.Glob("testdata/api/*")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		files[filepath.Base(name)], err = os.ReadFile(name)
		require.NoError(t, err)
	}
	for name, content := range files {
		t.Run(name, func(t *testing.T) {
			s := parseText(t, name, string(content))
			valid(t, s)
			golden(t, "testdata/"+strings.TrimSuffix(name, ".yaml")+".golden", s)
		})
	}
}

func golden(t *testing.T, path string, s ingest.Source) {
	t.Helper()
	var b bytes.Buffer
	for _, d := range s.Documents {
		meta, err := json.Marshal(d.Metadata)
		require.NoError(t, err)
		fmt.Fprintf(&b, "=== %s %s\n%s\n%s\n", d.ID, d.Pointer, meta, d.Content)
	}
	for _, w := range s.Warnings {
		fmt.Fprintf(&b, "!!! %s\n", w)
	}
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(path, b.Bytes(), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), b.String())
}

// zipped makes a zip file.
func zipped(t testing.TB, files map[string]string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range files {
		w, err := z.Create(name)
		require.NoError(t, err)
		_, err = w.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

const wordXML = `<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>%s</w:body></w:document>`

func word(body string) map[string]string {
	return map[string]string{"[Content_Types].xml": "<Types/>", "word/document.xml": fmt.Sprintf(wordXML, body),
		"word/styles.xml": `<w:styles xmlns:w="w"><w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style></w:styles>`,
		"docProps/core.xml": `<cp:coreProperties xmlns:cp="cp" xmlns:dc="dc" xmlns:dcterms="d"><dc:title>A letter</dc:title><dc:creator>A. Writer</dc:creator>` +
			`<dcterms:created>2024-03-31T10:00:00Z</dcterms:created></cp:coreProperties>`}
}

func letterDOCX(t testing.TB) []byte {
	p := func(style, text string) string {
		return `<w:p><w:pPr>` + style + `</w:pPr><w:r><w:t xml:space="preserve">` + text + `</w:t></w:r></w:p>`
	}
	return zipped(t, word(p("", "To whom it may concern.")+p(`<w:pStyle w:val="berschrift1"/>`, "Orders")+
		p("", "Orders ship on <w:delText>old</w:delText>weekdays &amp; Saturdays.")+p(`<w:numPr/>`, "one")+p(`<w:numPr/>`, "two")+
		`<w:tbl><w:tr><w:tc>`+p("", "Code")+`</w:tc><w:tc>`+p("", "Meaning")+`</w:tc></w:tr><w:tr><w:tc>`+p("", "409")+`</w:tc><w:tc>`+p("", "out of stock")+`</w:tc></w:tr></w:tbl>`))
}

// letterPDF is a PDF file of two pages, written by hand.
func letterPDF() []byte {
	stream := func(text string) string {
		return fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(text), text)
	}
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Count 2 /Kids [3 0 R 4 0 R] /Resources << /Font << /F1 7 0 R >> >> >>",
		"<< /Type /Page /Parent 2 0 R /Contents 5 0 R >>",
		"<< /Type /Page /Parent 2 0 R /Contents [6 0 R] >>",
		stream("BT /F1 12 Tf 72 720 Td (Orders) Tj 0 -40 Td (Orders ship on) Tj 0 -14 Td [(w) 20 (eekdays) -300 (and \\(soon\\) Saturdays.)] TJ ET"),
		stream("BT /F1 12 Tf 72 720 Td <52657475726e73> Tj ( are \\344 free.) Tj ET"),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
		"<< /Title (A letter) /Author <FEFF0041002E> /CreationDate (D:20240331100000Z) >>",
	}
	var b strings.Builder
	b.WriteString("%PDF-1.4\n")
	for i, o := range objects {
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	b.WriteString("trailer\n<< /Root 1 0 R /Info 8 0 R >>\n%%EOF\n")
	return []byte(b.String())
}
