package diagram

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// harmless are the signs that mean nothing inside of a text of any of the
// grammars: after the colon of a message, between quotes, in an alias.
const harmless = " /_.,{}()[]-=+?!':|…–"

// hazards are words that Mermaid looks for with regular expressions over whole
// lines, texts included, whatever the grammar says: "direction TB" anywhere in a
// line, "style …: …#…;" and "classDef …" before entity codes are read, "wrap:" at
// the beginning of a message. A number with a dot at the beginning, a dash and a
// plus are a list of Markdown, which a flowchart refuses to draw.
var hazards = regexp.MustCompile(`(?i)direction|style|classDef|wrap:|^[0-9]+\.|^[-+]`)

// escape writes a text for a label of Mermaid: one line of at most max bytes,
// cut with an ellipsis. Signs with a meaning are written as entity codes
// ("#35;"), which Mermaid turns back when it draws. The result has no quotes,
// semicolons and number signs but those of codes, no %, <, >, `, @, &, \ and no
// control characters. Empty texts become a dash, as labels must not be empty.
func escape(s string, max int) string {
	s = oneLine(s)
	code := make(map[int]bool)
	for _, at := range hazards.FindAllStringIndex(s, -1) {
		switch last := s[at[1]-1]; last {
		case '.', ':', '-', '+':
			code[at[1]-1] = true
		default:
			code[at[0]] = true
		}
	}
	var b strings.Builder
	for i, r := range s {
		text := string(r)
		if code[i] || !unicode.In(r, unicode.L, unicode.M, unicode.N) && !strings.ContainsRune(harmless, r) {
			text = "#" + strconv.Itoa(int(r)) + ";"
		}
		if b.Len()+len(text)+len("…") > max {
			b.WriteString("…")
			break
		}
		b.WriteString(text)
	}
	if strings.TrimSpace(b.String()) == "" {
		return "–"
	}
	return b.String()
}

// oneLine makes one space of each run of spaces, line breaks and control
// characters, and drops what is not seen: bidirectional marks, joiners, byte
// order marks.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) || unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	return strings.Join(strings.Fields(s), " ")
}

// quoted is a text between quotes.
func quoted(s string, max int) string { return `"` + escape(s, max) + `"` }

// words are what an entity-relationship diagram takes as a type or the name of an
// attribute, and keys are what it takes for something else.
var (
	notWord = regexp.MustCompile(`[^A-Za-z0-9_-]`)
	keys    = regexp.MustCompile(`(?i)^(?:pk|fk|uk)\b`)
)

// word writes a name as the type or name of an attribute. changed says that it
// had to be altered, so that the true name must stand elsewhere.
func word(s string) (name string, changed bool) {
	name = notWord.ReplaceAllString(oneLine(s), "_")
	if len(name) > maxName/2 {
		name = name[:maxName/2]
	}
	if name == "" || name[0] == '-' || name[0] >= '0' && name[0] <= '9' || keys.MatchString(name) {
		name = "_" + name
	}
	return name, name != s
}
