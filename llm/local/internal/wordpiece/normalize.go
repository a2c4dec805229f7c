package wordpiece

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// normalizer says what happens to a text before it is cut.
type normalizer struct {
	clean   bool // drop control characters
	chinese bool // Chinese characters are words of their own
	strip   bool // drop accents
	lower   bool
}

// words cuts a text into words: runs of characters between white space, and
// each punctuation mark alone.
type words struct {
	normalizer
	found func(word []byte) bool // false stops
	run   []byte                 // characters since the last white space
	ascii bool                   // all of run is
}

// split passes the words of text to found.
func (w *words) split(text string) {
	w.run, w.ascii = w.run[:0], true
	for _, r := range text {
		if w.clean && dropped(r) {
			continue
		}
		space := unicode.IsSpace(r)
		alone := w.chinese && isChinese(r)
		if (space || alone) && !w.flush() {
			return
		}
		if space {
			continue
		}
		w.run = utf8.AppendRune(w.run, r)
		w.ascii = w.ascii && r < utf8.RuneSelf
		if alone && !w.flush() {
			return
		}
	}
	w.flush()
}

// flush normalizes the run and passes its words to found.
func (w *words) flush() bool {
	run := w.normalized()
	w.run, w.ascii = w.run[:0], true
	start := 0
	for i := 0; i < len(run); {
		r, size := utf8.DecodeRune(run[i:])
		// A decomposition can bring in white space or punctuation.
		mark, space := isPunctuation(r), unicode.IsSpace(r)
		if mark || space {
			if i > start && !w.found(run[start:i]) || mark && !w.found(run[i:i+size]) {
				return false
			}
			start = i + size
		}
		i += size
	}
	return start == len(run) || w.found(run[start:])
}

// normalized strips the accents of the run and lowers its case.
func (w *words) normalized() []byte {
	if w.ascii {
		for i, c := range w.run {
			if w.lower && 'A' <= c && c <= 'Z' {
				w.run[i] = c + 'a' - 'A'
			}
		}
		return w.run
	}
	if !w.strip && !w.lower {
		return w.run
	}
	from := w.run
	if w.strip {
		from = norm.NFD.Bytes(from)
	}
	out := make([]byte, 0, len(from))
	for i := 0; i < len(from); {
		r, size := utf8.DecodeRune(from[i:])
		i += size
		switch {
		case w.strip && isAccent(r):
		case w.lower && r == 'İ': // the one letter whose lower case is two
			out = append(out, "i̇"...)
		case w.lower:
			out = utf8.AppendRune(out, unicode.ToLower(r))
		default:
			out = utf8.AppendRune(out, r)
		}
	}
	return out
}

// dropped are control characters, and what stands for bytes that are no UTF-8.
func dropped(r rune) bool {
	if r < utf8.RuneSelf {
		return (r < ' ' && r != '\t' && r != '\n' && r != '\r') || r == 0x7F
	}
	return r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co) && !unicode.Is(newer, r)
}

func isPunctuation(r rune) bool {
	if r < utf8.RuneSelf {
		return r > ' ' && r < '0' || r > '9' && r < 'A' || r > 'Z' && r < 'a' || r > 'z' && r < 0x7F
	}
	return unicode.IsPunct(r) && !unicode.Is(newer, r) || r == 0x166D || r == 0x111C9
}

func isAccent(r rune) bool {
	return r >= 0x300 && unicode.Is(unicode.Mn, r) && !unicode.Is(newer, r) || r == 0x1734
}

func isChinese(r rune) bool { return r >= 0x3400 && unicode.Is(chinese, r) }

// chinese has the blocks that the reference takes for Chinese characters.
var chinese = &unicode.RangeTable{
	R16: []unicode.Range16{{0x3400, 0x4DBF, 1}, {0x4E00, 0x9FFF, 1}, {0xF900, 0xFAFF, 1}},
	R32: []unicode.Range32{{0x20000, 0x2A6DF, 1}, {0x2A700, 0x2B81F, 1}, {0x2B920, 0x2CEAF, 1}, {0x2F800, 0x2FA1F, 1}},
}
