package pdf_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/internal/pdf"
)

// fileOf makes a PDF file of objects, numbered from 1; the first is the catalogue.
func fileOf(trailer string, objects ...string) []byte {
	var b strings.Builder
	b.WriteString("%PDF-1.7\n")
	for i, o := range objects {
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	return []byte(b.String() + "trailer\n<< /Root 1 0 R " + trailer + " >>\n%%EOF\n")
}

func stream(dict, content string) string {
	return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", dict, len(content), content)
}

func packed(dict, content string) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write([]byte(content))
	_ = z.Close()
	return stream(dict+" /Filter /FlateDecode", b.String())
}

// objectStream packs objects, numbered from first.
func objectStream(first int, objects ...string) string {
	head, body := "", ""
	for i, o := range objects {
		head += fmt.Sprintf("%d %d ", first+i, len(body))
		body += o + " "
	}
	return packed(fmt.Sprintf("/Type /ObjStm /N %d /First %d", len(objects), len(head)), head+body)
}

// onePage is a file of one page with a font and a content.
func onePage(font, content string, more ...string) []byte {
	return fileOf("", append([]string{"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Contents 4 0 R /Resources << /Font << /F 5 0 R >> /XObject << /X 6 0 R >> >> >>", content, font}, more...)...)
}

const plainFont = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"

func Example() {
	file := onePage(plainFont, stream("", "BT /F 12 Tf 72 700 Td (Orders ship) Tj 0 -14 Td (on weekdays.) Tj ET"))
	document, err := pdf.Read(context.Background(), file)
	fmt.Println(document.Pages[0], err)
	// Output:
	// Orders ship
	// on weekdays. <nil>
}

func TestRead(t *testing.T) {
	toUnicode := "1 begincodespacerange <0000> <FFFF> endcodespacerange 1 beginbfchar <0001> <0041> endbfchar\n" +
		"2 beginbfrange <0002> <0004> <0062> <0005> <0006> [<00660069> <D83DDE00>] endbfrange"
	for name, test := range map[string]struct {
		file []byte
		want string
	}{
		"kerning and gaps":  {onePage(plainFont, stream("", "BT /F 10 Tf [(Or) 10 (ders) -400 (ship)] TJ ET")), "Orders ship"},
		"escapes":           {onePage(plainFont, stream("", `BT /F 10 Tf (a\(b\)\\ \101\n\344) Tj ET`)), `a(b)\ A ä`},
		"lines by T* and '": {onePage(plainFont, stream("", "BT /F 10 Tf 12 TL (a) Tj T* (b) Tj (c) ' ET")), "a\nb\nc"},
		"paragraphs":        {onePage(plainFont, stream("", "BT /F 10 Tf (a) Tj 0 -30 Td (b) Tj ET")), "a\n\nb"},
		"packed":            {onePage(plainFont, packed("", "BT /F 10 Tf (packed) Tj ET")), "packed"},
		"ASCII85 and hex":   {onePage(plainFont, stream("/Filter [/ASCIIHexDecode]", "42 54 20 2F 46 20 31 30 20 54 66 20 28 68 29 20 54 6A>")), "h"},
		"differences":       {onePage("<< /Subtype /Type1 /Encoding << /Differences [65 /eacute /fi 67 /uni20AC /Scaron] >> >>", stream("", "BT /F 10 Tf (ABCD) Tj ET")), "éfi€Š"},
		"Mac":               {onePage("<< /Subtype /Type1 /Encoding /MacRomanEncoding >>", stream("", "BT /F 10 Tf <8A> Tj ET")), "ä"},
		"to Unicode": {onePage("<< /Subtype /Type0 /Encoding /Identity-H /ToUnicode 6 0 R /DescendantFonts [<< /W [1 [500] 2 4 600] >>] >>",
			stream("", "BT /F 10 Tf <0001000200030004000500060007> Tj ET"), packed("", toUnicode)), "Abcdfi😀"},
		"UTF-16 codes": {onePage("<< /Subtype /Type0 /Encoding /UniJIS-UCS2-H >>", stream("", "BT /F 10 Tf <65E5672C> Tj ET")), "日本"},
		"form": {onePage(plainFont, stream("", "q /X Do Q BT /F 10 Tf 0 -20 Td (page) Tj ET"), stream("/Subtype /Form", "BT /F 10 Tf (form) Tj /X Do ET")),
			"form\n\npage"},
		"an image in the page": {onePage(plainFont, stream("", "BI /W 1 ID \x00(\xff EI BT /F 10 Tf (after) Tj ET")), "after"},
		"objects in streams": {fileOf("", "<< /Type /Catalog /Pages 9 0 R >>", objectStream(9, "<< /Kids [10 0 R] /Count 1 >>",
			"<< /Type /Page /Contents 3 0 R /Resources << /Font << /F 11 0 R >> >> >>", plainFont),
			stream("", "BT /F 10 Tf (inside) Tj ET")), "inside"},
		"a wrong length":     {onePage(plainFont, "<< /Length 3 >>\nstream\nBT /F 10 Tf (long) Tj ET\nendstream"), "long"},
		"an unclosed string": {onePage(plainFont, stream("", "BT /F 10 Tf (a) Tj ET (open")), "a"},
		"a damaged tree":     {fileOf("", "<< /Type /Catalog /Pages 99 0 R >>", "<< /Type /Page /Contents 3 0 R /Resources << /Font << /F 4 0 R >> >> >>", stream("", "BT /F 9 Tf (found) Tj ET"), plainFont), "found"},
	} {
		d, err := pdf.Read(t.Context(), test.file)
		require.NoError(t, err, name)
		require.Equal(t, []string{test.want}, d.Pages, name)
	}
}

func TestErrors(t *testing.T) {
	for name, test := range map[string]struct {
		file []byte
		want error
	}{
		"nothing":                {nil, pdf.ErrMalformed},
		"no pages":               {fileOf("", "<< /Type /Catalog >>"), pdf.ErrMalformed},
		"encrypted":              {fileOf("/Encrypt << /Filter /Standard >>", "<< /Type /Catalog >>"), pdf.ErrEncrypted},
		"encrypted, in a stream": {[]byte("1 0 obj " + stream("/Type /XRef /Encrypt 5 0 R", "")), pdf.ErrEncrypted},
	} {
		_, err := pdf.Read(t.Context(), test.file)
		require.ErrorIs(t, err, test.want, name)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := pdf.Read(cancelled, onePage(plainFont, stream("", "")))
	require.ErrorIs(t, err, context.Canceled)
}

// FuzzRead holds any bytes to the promises: an end, valid text, no panic.
func FuzzRead(f *testing.F) {
	f.Add(onePage(plainFont, stream("", "BT /F 10 Tf [(a) -300 <62>] TJ /X Do ET"), stream("/Subtype /Form /Matrix [1 0 0 1 2 3]", "q Q (b) Tj")))
	f.Add(onePage("<< /Subtype /Type0 /ToUnicode 6 0 R >>", stream("", "BT /F 1 Tf <0001> Tj ET"), stream("", "beginbfrange <0001> <FFFF> <0041> endbfrange")))
	f.Add(fileOf("/Prev 9", "<< /Pages 2 0 R >>", "<< /Kids [2 0 R 1 0 R] >>"))
	f.Add(fileOf("", stream("/Type /ObjStm /N 2 /First 8", "1 0 2 5 [1] << /A 1 0 R >>")))
	paths, _ := filepath.Glob("testdata/*.pdf")
	for _, path := range paths {
		if b, err := os.ReadFile(path); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		d, err := pdf.Read(context.Background(), content)
		if err != nil {
			return
		}
		require.NotEmpty(t, d.Pages)
		for _, p := range append(d.Pages, d.Title, d.Author, d.Created) {
			require.True(t, utf8.ValidString(p))
		}
	})
}
