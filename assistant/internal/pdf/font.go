package pdf

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// font says what the codes of a string mean and how wide they are.
type font struct {
	size     int // bytes of a code
	meaning  map[string]string
	encoding [256]string // of codes of one byte without a meaning
	utf16    bool        // codes are UTF-16
	widths   map[int]float64
	width    float64 // of codes without one, in thousandths
}

// maxCodes bounds the codes of one font.
const maxCodes = 100_000

func (f *file) font(v any) *font {
	d := f.dict(v)
	out := &font{size: 1, width: 500, widths: make(map[int]float64)}
	if d["Subtype"] == name("Type0") {
		f.compositeFont(d, out)
	} else {
		f.simpleFont(d, out)
	}
	if s, ok := f.resolve(d["ToUnicode"]).(*stream); ok {
		f.toUnicode(f.decode(s), out)
	}
	return out
}

// simpleFont reads the encoding and the widths of a font with codes of one byte.
func (f *file) simpleFont(d dict, out *font) {
	mac := false
	encoding := f.resolve(d["Encoding"])
	switch e := encoding.(type) {
	case name:
		mac = e == "MacRomanEncoding"
	case dict:
		mac = f.resolve(e["BaseEncoding"]) == name("MacRomanEncoding")
	}
	for c := range 256 {
		if mac && c >= 128 {
			out.encoding[c] = string([]rune(macRoman)[c-128])
		} else {
			out.encoding[c] = winAnsi(byte(c))
		}
	}
	if e, ok := encoding.(dict); ok {
		code := 0
		for _, v := range f.array(e["Differences"]) {
			switch v := f.resolve(v).(type) {
			case float64:
				code = int(v)
			case name:
				if s, ok := glyph(string(v)); ok && code >= 0 && code < 256 {
					out.encoding[code] = s
				}
				code++
			}
		}
	}
	first := f.int(d["FirstChar"])
	for i, w := range f.array(d["Widths"]) {
		if i < 256 {
			out.widths[first+i] = f.float(w)
		}
	}
}

// compositeFont reads the widths of a font with codes of two bytes.
func (f *file) compositeFont(d dict, out *font) {
	out.size, out.width = 2, 1000
	encoding, _ := f.resolve(d["Encoding"]).(name)
	out.utf16 = strings.Contains(string(encoding), "UCS2") || strings.Contains(string(encoding), "UTF16")
	descendants := f.array(d["DescendantFonts"])
	if len(descendants) == 0 {
		return
	}
	inner := f.dict(descendants[0])
	if w, ok := f.resolve(inner["DW"]).(float64); ok {
		out.width = w
	}
	widths := f.array(inner["W"])
	for i := 0; i+1 < len(widths) && len(out.widths) < maxCodes; {
		first := f.int(widths[i])
		if list := f.array(widths[i+1]); list != nil {
			for n, w := range list {
				out.widths[first+n] = f.float(w)
			}
			i += 2
			continue
		}
		if i+2 >= len(widths) {
			return
		}
		for n := first; n <= min(f.int(widths[i+1]), first+0xffff); n++ {
			out.widths[n] = f.float(widths[i+2])
		}
		i += 3
	}
}

// toUnicode reads the table that says which characters codes are.
func (f *file) toUnicode(data []byte, out *font) {
	out.meaning = make(map[string]string)
	l := lexer{data: data}
	var stack []any
	for {
		v, err := l.object(0)
		if err != nil || !f.spend(1) {
			return
		}
		k, isKeyword := v.(keyword)
		if !isKeyword {
			if len(stack) < 1000 {
				stack = append(stack, v)
			}
			continue
		}
		switch k {
		case "":
			return
		case "endcodespacerange":
			if len(stack) > 0 {
				if s, ok := stack[len(stack)-1].(text); ok && len(s) >= 1 && len(s) <= 4 {
					out.size = len(s)
				}
			}
		case "endbfchar":
			for i := 0; i+1 < len(stack); i += 2 {
				from, ok1 := stack[i].(text)
				to, ok2 := stack[i+1].(text)
				if ok1 && ok2 && len(out.meaning) < maxCodes {
					out.meaning[string(from)] = fromUTF16(string(to))
				}
			}
		case "endbfrange":
			for i := 0; i+2 < len(stack); i += 3 {
				out.addRange(stack[i], stack[i+1], stack[i+2])
			}
		}
		stack = stack[:0]
	}
}

// addRange adds the meanings of a range of codes.
func (t *font) addRange(from, to, meaning any) {
	first, ok1 := from.(text)
	last, ok2 := to.(text)
	if !ok1 || !ok2 || len(first) != len(last) || len(first) == 0 || len(first) > 4 {
		return
	}
	low, high := number(string(first)), number(string(last))
	for n := low; n <= high && n-low < 0x10000 && len(t.meaning) < maxCodes; n++ {
		code := make([]byte, len(first))
		for i, rest := len(code)-1, n; i >= 0; i-- {
			code[i] = byte(rest)
			rest >>= 8
		}
		switch m := meaning.(type) {
		case array:
			if n-low >= len(m) {
				return
			}
			if s, ok := m[n-low].(text); ok {
				t.meaning[string(code)] = fromUTF16(string(s))
			}
		case text:
			runes := []rune(fromUTF16(string(m)))
			if len(runes) == 0 {
				return
			}
			runes[len(runes)-1] += rune(n - low)
			t.meaning[string(code)] = string(runes)
		}
	}
}

func number(s string) (n int) {
	for _, c := range []byte(s) {
		n = n<<8 | int(c)
	}
	return n
}

func fromUTF16(s string) string {
	units := make([]uint16, len(s)/2)
	for i := range units {
		units[i] = uint16(s[2*i])<<8 | uint16(s[2*i+1])
	}
	if len(s) == 1 {
		return s
	}
	return string(utf16.Decode(units))
}

// decode returns the characters of a code, and its width in thousandths.
func (t *font) decode(code string) (string, float64) {
	width, ok := t.widths[number(code)]
	if !ok {
		width = t.width
	}
	if s, ok := t.meaning[code]; ok {
		return s, width
	}
	switch {
	case len(code) == 1 && t.size == 1:
		return t.encoding[code[0]], width
	case t.utf16:
		return fromUTF16(code), width
	}
	return "", width
}

// winAnsi is the character of a byte in Windows' Latin-1.
func winAnsi(c byte) string {
	switch {
	case c < ' ':
		return " "
	case c >= 0x80 && c < 0xa0:
		return string([]rune(winAnsiHigh)[c-0x80])
	}
	return string(rune(c))
}

const winAnsiHigh = "€•‚ƒ„…†‡ˆ‰Š‹Œ•Ž••‘’“”•–—˜™š›œ•žŸ"

const macRoman = "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø" +
	"¿¡¬√ƒ≈∆«»… ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\uf8ffÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ"

// glyph is the character of a glyph's name.
func glyph(s string) (string, bool) {
	if utf8.RuneCountInString(s) == 1 {
		return s, true
	}
	s, _, _ = strings.Cut(s, ".")
	if c, ok := glyphs[s]; ok {
		return c, true
	}
	for _, prefix := range []string{"uni", "u"} {
		if digits, ok := strings.CutPrefix(s, prefix); ok && len(digits) >= 4 && len(digits) <= 6 {
			if n, err := strconv.ParseUint(digits, 16, 21); err == nil && utf8.ValidRune(rune(n)) {
				return string(rune(n)), true
			}
		}
	}
	return accented(s)
}

// accents are the ends of the names of letters with marks, and those letters.
var accents = map[string][2]string{
	"acute": {"aeiouyAEIOUYcnszCNSZ", "áéíóúýÁÉÍÓÚÝćńśźĆŃŚŹ"}, "grave": {"aeiouAEIOU", "àèìòùÀÈÌÒÙ"},
	"circumflex": {"aeiouAEIOU", "âêîôûÂÊÎÔÛ"}, "dieresis": {"aeiouyAEIOUY", "äëïöüÿÄËÏÖÜŸ"},
	"tilde": {"anoANO", "ãñõÃÑÕ"}, "caron": {"cszrenCSZREN", "čšžřěňČŠŽŘĚŇ"}, "cedilla": {"csCS", "çşÇŞ"},
	"ring": {"auAU", "åůÅŮ"}, "ogonek": {"aeAE", "ąęĄĘ"}, "slash": {"oO", "øØ"}, "breve": {"agAG", "ăğĂĞ"},
}

func accented(s string) (string, bool) {
	for end, letters := range accents {
		if len(s) == 1+len(end) && s[1:] == end {
			if i := strings.IndexByte(letters[0], s[0]); i >= 0 {
				return string([]rune(letters[1])[i]), true
			}
		}
	}
	return "", false
}

var glyphs = glyphTable(`space   exclam ! quotedbl " numbersign # dollar $ percent % ampersand & quotesingle ' parenleft ( parenright )
asterisk * plus + comma , hyphen - period . slash / zero 0 one 1 two 2 three 3 four 4 five 5 six 6 seven 7 eight 8 nine 9 colon :
semicolon ; less < equal = greater > question ? at @ bracketleft [ backslash \ bracketright ] asciicircum ^ underscore _ grave ` + "`" + `
braceleft { bar | braceright } asciitilde ~ quoteleft ‘ quoteright ’ quotedblleft “ quotedblright ” quotesinglbase ‚ quotedblbase „
endash – emdash — bullet • ellipsis … dagger † daggerdbl ‡ fi fi fl fl ff ff ffi ffi ffl ffl germandbls ß ae æ AE Æ oe œ OE Œ
section § paragraph ¶ copyright © registered ® trademark ™ degree ° plusminus ± multiply × divide ÷ minus − mu µ
guillemotleft « guillemotright » guilsinglleft ‹ guilsinglright › sterling £ yen ¥ cent ¢ Euro € currency ¤ exclamdown ¡ questiondown ¿
dotlessi ı eth ð Eth Ð thorn þ Thorn Þ lslash ł Lslash Ł onehalf ½ onequarter ¼ threequarters ¾ onesuperior ¹ twosuperior ² threesuperior ³
periodcentered · logicalnot ¬ lessequal ≤ greaterequal ≥ notequal ≠ infinity ∞ arrowright → arrowleft ← nbspace   softhyphen -`)

func glyphTable(s string) map[string]string {
	out := map[string]string{"space": " ", "nbspace": " "}
	fields := strings.Fields(s)
	for i := 0; i+1 < len(fields); {
		if fields[i] == "space" || fields[i] == "nbspace" {
			i++
			continue
		}
		out[fields[i]] = fields[i+1]
		i += 2
	}
	return out
}
