package pdf

import (
	"bytes"
	"math"
	"strings"
)

// matrix maps a point: x' = a·x + c·y + e, y' = b·x + d·y + f.
type matrix struct{ a, b, c, d, e, f float64 }

var identity = matrix{a: 1, d: 1}

// times is the mapping m first and n after it.
func (m matrix) times(n matrix) matrix {
	return matrix{m.a*n.a + m.b*n.c, m.a*n.b + m.b*n.d, m.c*n.a + m.d*n.c, m.c*n.b + m.d*n.d,
		m.e*n.a + m.f*n.c + n.e, m.e*n.b + m.f*n.d + n.f}
}

// state is what q saves and Q restores.
type state struct {
	ctm                                  matrix
	font                                 *font
	size, char, word, scale, lead, raise float64
}

// interpreter runs the contents of pages as far as they show text.
type interpreter struct {
	file      *file
	fonts     map[any]*font      // by reference, or by localFont
	forms     map[*stream][]byte // unpacked
	running   map[*stream]bool   // forms that have not ended
	scope     int                // of the resources in use
	runs      int                // of forms
	operators int

	state
	saved      []state
	tm, line   matrix // of text, and of the begin of the line
	out        strings.Builder
	x, y, high float64 // where the last text ended, and its height
	any        bool    // there was text on this page
}

// page returns the text of a page.
func (r *interpreter) page(p page) string {
	r.state = state{ctm: identity, scale: 1}
	r.saved, r.any = nil, false
	r.scope++
	r.out.Reset()
	contents := array{p.dict["Contents"]}
	if list := r.file.array(p.dict["Contents"]); list != nil {
		contents = list
	}
	var data []byte
	for _, c := range contents {
		if s, ok := r.file.resolve(c).(*stream); ok && len(data) < maxStream {
			data = append(append(data, r.file.decode(s)...), '\n')
		}
	}
	r.run(data, r.file.dict(p.resources), 0)
	return clean(strings.ReplaceAll(r.out.String(), "\u00a0", " "))
}

// run interprets operators. Each has its operands before it.
func (r *interpreter) run(data []byte, resources dict, depth int) {
	l := lexer{data: data}
	var operands []any
	for {
		v, err := l.object(0)
		if err != nil {
			l.at++ // an unclosed string, say
			if l.at >= len(data) {
				return
			}
			operands = operands[:0]
		}
		k, isOperator := v.(keyword)
		if !isOperator {
			if len(operands) < 100 {
				operands = append(operands, v)
			}
			continue
		}
		if r.operators++; k == "" || r.operators > maxOperators || r.out.Len() > maxText || !r.file.spend(1) {
			return
		}
		if k == "ID" { // an image in the text
			end := bytes.Index(data[l.at:min(len(data), l.at+1<<20)], []byte("EI"))
			if end < 0 || !r.file.spend(end) {
				return
			}
			l.at += end + 2
		} else {
			r.operator(string(k), operands, resources, depth)
		}
		operands = operands[:0]
	}
}

func (r *interpreter) operator(op string, operands []any, resources dict, depth int) {
	n := func(i int) float64 {
		if i < len(operands) {
			if v, ok := operands[i].(float64); ok {
				return v
			}
		}
		return 0
	}
	switch op {
	case "q":
		if len(r.saved) < 200 {
			r.saved = append(r.saved, r.state)
		}
	case "Q":
		if len(r.saved) > 0 {
			r.state = r.saved[len(r.saved)-1]
			r.saved = r.saved[:len(r.saved)-1]
		}
	case "cm":
		r.ctm = matrix{n(0), n(1), n(2), n(3), n(4), n(5)}.times(r.ctm)
	case "BT":
		r.tm, r.line = identity, identity
	case "Tf":
		r.size = n(1)
		if len(operands) > 0 {
			r.font = r.fontOf(operands[0], resources)
		}
	case "Tc":
		r.char = n(0)
	case "Tw":
		r.word = n(0)
	case "Tz":
		r.scale = n(0) / 100
	case "TL":
		r.lead = n(0)
	case "Ts":
		r.raise = n(0)
	case "Td":
		r.move(n(0), n(1))
	case "TD":
		r.lead = -n(1)
		r.move(n(0), n(1))
	case "T*":
		r.move(0, -r.lead)
	case "Tm":
		r.line = matrix{n(0), n(1), n(2), n(3), n(4), n(5)}
		r.tm = r.line
	case "Tj", "'", `"`:
		if op != "Tj" {
			r.move(0, -r.lead)
		}
		if len(operands) > 0 {
			r.show(operands[len(operands)-1])
		}
	case "TJ":
		if len(operands) > 0 {
			list, _ := operands[0].(array)
			for _, v := range list {
				if shift, ok := v.(float64); ok {
					r.tm = matrix{1, 0, 0, 1, -shift / 1000 * r.size * r.scale, 0}.times(r.tm)
				} else {
					r.show(v)
				}
			}
		}
	case "Do":
		if len(operands) > 0 && depth < 5 {
			r.form(operands[0], resources, depth)
		}
	}
}

func (r *interpreter) move(x, y float64) {
	r.line = matrix{1, 0, 0, 1, x, y}.times(r.line)
	r.tm = r.line
}

// localFont is a font that is no object of its own.
type localFont struct {
	scope int
	name  name
}

func (r *interpreter) fontOf(key any, resources dict) *font {
	k, _ := key.(name)
	v := r.file.dict(resources["Font"])[string(k)]
	var id any = localFont{r.scope, k}
	if reference, ok := v.(ref); ok {
		id = reference
	}
	if r.fonts[id] == nil {
		r.fonts[id] = r.file.font(v)
	}
	return r.fonts[id]
}

// form runs a form, which is a piece of a page.
func (r *interpreter) form(key any, resources dict, depth int) {
	k, _ := key.(name)
	s, ok := r.file.resolve(r.file.dict(resources["XObject"])[string(k)]).(*stream)
	if !ok || r.file.resolve(s.dict["Subtype"]) != name("Form") {
		return
	}
	if r.runs++; r.runs > maxForms || r.running[s] {
		return
	}
	r.running[s] = true
	defer delete(r.running, s)
	before, saved := r.state, r.saved
	r.saved = nil
	if m := r.file.array(s.dict["Matrix"]); len(m) == 6 {
		f := r.file.float
		r.ctm = matrix{f(m[0]), f(m[1]), f(m[2]), f(m[3]), f(m[4]), f(m[5])}.times(r.ctm)
	}
	inner := r.file.dict(s.dict["Resources"])
	if inner == nil {
		inner = resources
	}
	data, ok := r.forms[s]
	if !ok {
		data = r.file.decode(s)
		r.forms[s] = data
	}
	r.scope++
	r.run(data, inner, depth+1)
	r.scope++
	r.state, r.saved = before, saved
}

// show writes a string and moves on by its width.
func (r *interpreter) show(v any) {
	s, ok := v.(text)
	if !ok || r.font == nil {
		return
	}
	var b strings.Builder
	start := r.position()
	for at := 0; at < len(s); {
		size := min(r.font.size, len(s)-at)
		code := string(s[at : at+size])
		at += size
		characters, width := r.font.decode(code)
		b.WriteString(characters)
		advance := width/1000*r.size + r.char
		if code == " " {
			advance += r.word
		}
		r.tm = matrix{1, 0, 0, 1, advance * r.scale, 0}.times(r.tm)
	}
	r.write(b.String(), start)
}

// place is a point on the page and the height of letters there.
type place struct{ x, y, high float64 }

func (r *interpreter) position() place {
	m := matrix{r.size, 0, 0, r.size, 0, r.raise}.times(r.tm).times(r.ctm)
	return place{m.e, m.f, math.Hypot(m.c, m.d)}
}

// write puts a text behind the last one: in the same word, after a space, on a new
// line, or in a new paragraph, as the places of the two tell.
func (r *interpreter) write(s string, at place) {
	if s == "" || math.IsNaN(at.x+at.y+at.high) {
		return
	}
	if r.any {
		high := math.Max(math.Max(at.high, r.high), 0.1)
		down, gap := math.Abs(at.y-r.y), at.x-r.x
		switch {
		case down > 1.8*high:
			r.out.WriteString("\n\n")
		case down > 0.5*high || gap < -3*high:
			r.out.WriteString("\n")
		case gap > 0.18*high && !strings.HasSuffix(r.out.String()[max(0, r.out.Len()-1):], " ") && !strings.HasPrefix(s, " "):
			r.out.WriteString(" ")
		}
	}
	r.out.WriteString(s)
	end := r.position()
	r.x, r.y, r.high, r.any = end.x, at.y, at.high, true
}
