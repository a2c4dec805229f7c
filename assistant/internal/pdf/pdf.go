// Package pdf takes the text out of PDF files, page by page.
//
//	document, err := pdf.Read(ctx, content)
//	if errors.Is(err, pdf.ErrEncrypted) { … }
//	fmt.Println(document.Title, len(document.Pages), document.Pages[0])
//
// It is a reader of its own because the files are hostile. The maintained library
// in pure Go, ledongthuc/pdf, follows a circular chain of tables for ever and
// unpacks streams to any size. Here every loop has a bound: depth, number of
// objects, bytes unpacked, operators run.
//
// The objects are found by looking for them, not by the table of contents: so
// files with a damaged table are read too. What is not read: encrypted files,
// streams in LZW and image formats, and fonts that tell no characters. Pages
// that are pictures have no text.
package pdf

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The kinds of errors.
var (
	ErrMalformed = errors.New("the PDF file is malformed")
	ErrEncrypted = errors.New("the PDF file is encrypted")
	ErrTooLarge  = errors.New("the PDF file is too large")
)

// Document is the text of a file.
type Document struct {
	Title, Author string
	Created       string   // "2024-03-31", or empty
	Pages         []string // the text of each; lines end in \n, paragraphs in an empty line
}

// Limits of a file.
const (
	maxDepth     = 64
	maxObjects   = 2_000_000
	maxPages     = 20_000
	maxUnpacked  = 96 << 20  // bytes, all streams together
	maxStream    = 32 << 20  // bytes, one stream
	maxOperators = 5_000_000 // of all pages
	maxText      = 32 << 20  // bytes
	maxForms     = 20_000
	workFactor   = 10       // how often each byte is looked at, on average
	workFree     = 32 << 20 // bytes looked at in any file, however small
)

// Read reads a file. The error wraps one of this package, or is that of the
// context.
func Read(ctx context.Context, content []byte) (Document, error) {
	f, err := open(content)
	if err != nil {
		return Document{}, err
	}
	var d Document
	info := f.dict(f.trailer["Info"])
	d.Title, d.Author = f.string(info["Title"]), f.string(info["Author"])
	d.Created = date(f.string(info["CreationDate"]))
	pages := f.pages()
	if len(pages) == 0 {
		return Document{}, fmt.Errorf("%w: it has no pages", ErrMalformed)
	}
	run := interpreter{file: f, fonts: make(map[any]*font), forms: make(map[*stream][]byte), running: make(map[*stream]bool)}
	size := 0
	for _, p := range pages {
		if err := ctx.Err(); err != nil {
			return Document{}, err
		}
		text := run.page(p)
		if size += len(text); size > maxText || f.exhausted {
			return Document{}, fmt.Errorf("%w: page %d and those before it hold too much", ErrTooLarge, len(d.Pages)+1)
		}
		d.Pages = append(d.Pages, text)
	}
	return d, nil
}

// date turns "D:20240331…" into "2024-03-31".
func date(s string) string {
	s = strings.TrimPrefix(s, "D:")
	if len(s) < 8 || strings.Trim(s[:8], "0123456789") != "" {
		return ""
	}
	return s[:4] + "-" + s[4:6] + "-" + s[6:8]
}

// string is a string for people: in UTF-16 with a mark, in UTF-8 with one, else in
// the encoding of PDF, which is nearly Latin-1.
func (f *file) string(v any) string {
	s, _ := f.resolve(v).(text)
	switch {
	case strings.HasPrefix(string(s), "\xfe\xff"):
		return clean(fromUTF16(string(s[2:])))
	case strings.HasPrefix(string(s), "\xef\xbb\xbf"):
		return clean(string(s[3:]))
	}
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteString(winAnsi(c))
	}
	return clean(b.String())
}

func clean(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "")))
}
