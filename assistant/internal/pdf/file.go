package pdf

import (
	"bytes"
	"compress/flate"
	"encoding/ascii85"
	"errors"
	"fmt"
	"io"
	"slices"
)

// file is a PDF file with its objects.
type file struct {
	data      []byte
	offsets   map[int]int // of the objects, behind "obj"
	packed    map[int]any // objects that were in streams of objects
	cache     map[int]any
	resolving map[int]bool
	trailer   dict
	work      int // bytes looked at
	unpacked  int
	exhausted bool // a limit is reached
}

// open finds the objects.
func open(content []byte) (*file, error) {
	f := &file{data: content, offsets: make(map[int]int), packed: make(map[int]any), cache: make(map[int]any),
		resolving: make(map[int]bool), trailer: dict{}}
	f.scan()
	if len(f.offsets) == 0 {
		return nil, fmt.Errorf("%w: there are no objects in it", ErrMalformed)
	}
	f.trailers()
	if f.trailer["Encrypt"] != nil {
		return nil, fmt.Errorf("%w: save it without a password", ErrEncrypted)
	}
	f.unpack()
	if f.exhausted {
		return nil, fmt.Errorf("%w: its objects unpack to more than %d MB", ErrTooLarge, maxUnpacked>>20)
	}
	return f, nil
}

// scan finds "12 0 obj" everywhere; of objects with one number the last counts,
// as after an update.
func (f *file) scan() {
	for at := 0; len(f.offsets) < maxObjects; {
		i := bytes.Index(f.data[at:], []byte("obj"))
		if i < 0 {
			return
		}
		i += at
		at = i + 3
		digits := func(end int) (start, value int) {
			start = end
			for start > 0 && end-start < 10 && f.data[start-1] >= '0' && f.data[start-1] <= '9' {
				start--
			}
			for _, c := range f.data[start:end] {
				value = value*10 + int(c-'0')
			}
			return start, value
		}
		spaces := func(end int) int {
			for end > 0 && i-end < 40 && isSpace(f.data[end-1]) {
				end--
			}
			return end
		}
		end := spaces(i)
		generation, _ := digits(end)
		gap := spaces(generation)
		start, number := digits(gap)
		if end < i && generation < end && gap < generation && start < gap {
			f.offsets[number] = at
		}
	}
}

// trailers reads what the file says of itself, in tables and in streams.
func (f *file) trailers() {
	take := func(d dict) {
		for _, key := range []string{"Root", "Info", "Encrypt"} {
			if v, ok := d[key]; ok {
				f.trailer[key] = v
			}
		}
	}
	for at := 0; ; {
		i := bytes.Index(f.data[at:], []byte("trailer"))
		if i < 0 {
			break
		}
		at += i + len("trailer")
		if d, ok := f.parse(at).(dict); ok {
			take(d)
		}
	}
	var catalog any
	for _, number := range f.numbers() {
		switch v := f.object(number).(type) {
		case *stream:
			if v.dict["Type"] == name("XRef") {
				take(v.dict)
			}
		case dict:
			if v["Type"] == name("Catalog") {
				catalog = v
			}
		}
	}
	if f.trailer["Root"] == nil {
		f.trailer["Root"] = catalog
	}
}

func (f *file) numbers() []int {
	var out []int
	for n := range f.offsets {
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b int) int { return f.offsets[a] - f.offsets[b] })
	return out
}

// unpack reads the objects in streams of objects.
func (f *file) unpack() {
	for _, number := range f.numbers() {
		s, ok := f.object(number).(*stream)
		if !ok || s.dict["Type"] != name("ObjStm") {
			continue
		}
		data := f.decode(s)
		count, first := f.int(s.dict["N"]), f.int(s.dict["First"])
		if first <= 0 || first > len(data) {
			continue
		}
		head := lexer{data: data[:first]}
		for range min(count, maxObjects) {
			n, err1 := head.object(0)
			offset, err2 := head.object(0)
			id, ok1 := n.(float64)
			at, ok2 := offset.(float64)
			if err1 != nil || err2 != nil || !ok1 || !ok2 || at < 0 || int(at) > len(data)-first || !f.spend(0) {
				break
			}
			l := lexer{data: data[first+int(at):], refs: true}
			v, err := l.object(0)
			if f.spend(l.at) && err == nil {
				f.packed[int(id)] = v
			}
		}
	}
}

// spend counts work, and reports whether there may be more.
func (f *file) spend(n int) bool {
	if f.work += n; f.work > workFactor*len(f.data)+workFree {
		f.exhausted = true
	}
	return !f.exhausted
}

// parse reads an object of the file, with its stream if it has one.
func (f *file) parse(at int) any {
	if !f.spend(1) {
		return nil
	}
	l := lexer{data: f.data, at: at, refs: true}
	v, err := l.object(0)
	f.spend(l.at - at)
	if err != nil {
		return nil
	}
	d, ok := v.(dict)
	if !ok {
		return v
	}
	l.space()
	if !bytes.HasPrefix(f.data[l.at:], []byte("stream")) {
		return d
	}
	start := l.at + len("stream")
	if bytes.HasPrefix(f.data[start:], []byte("\r\n")) {
		start += 2
	} else if start < len(f.data) {
		start++
	}
	return &stream{dict: d, raw: f.raw(d, min(start, len(f.data)))}
}

// raw is the content of a stream: as long as it says, or up to its end mark.
func (f *file) raw(d dict, start int) []byte {
	if n := f.int(d["Length"]); n > 0 && n <= len(f.data)-start {
		rest := bytes.TrimLeft(f.data[start+n:min(len(f.data), start+n+16)], "\r\n ")
		if bytes.HasPrefix(rest, []byte("endstream")) {
			return f.data[start : start+n]
		}
	}
	end := bytes.Index(f.data[start:], []byte("endstream"))
	if end < 0 {
		end = len(f.data) - start
	}
	f.spend(end)
	return bytes.TrimRight(f.data[start:start+end], "\r\n")
}

// object returns the object with a number, or nil.
func (f *file) object(number int) any {
	if v, ok := f.cache[number]; ok {
		return v
	}
	at, ok := f.offsets[number]
	if !ok {
		return f.packed[number]
	}
	if f.resolving[number] {
		return nil
	}
	f.resolving[number] = true
	v := f.parse(at)
	delete(f.resolving, number)
	f.cache[number] = v
	return v
}

// resolve follows references.
func (f *file) resolve(v any) any {
	for range maxDepth {
		r, ok := v.(ref)
		if !ok {
			return v
		}
		v = f.object(r.number)
	}
	return nil
}

func (f *file) dict(v any) dict {
	switch v := f.resolve(v).(type) {
	case dict:
		return v
	case *stream:
		return v.dict
	}
	return nil
}

func (f *file) array(v any) array {
	a, _ := f.resolve(v).(array)
	return a
}

func (f *file) float(v any) float64 {
	n, _ := f.resolve(v).(float64)
	return n
}

func (f *file) int(v any) int {
	n := f.float(v)
	if n != n || n > 1<<31 || n < -1<<31 {
		return 0
	}
	return int(n)
}

// decode unpacks a stream. What cannot be unpacked is empty.
func (f *file) decode(s *stream) []byte {
	filters := f.array(s.dict["Filter"])
	if single, ok := f.resolve(s.dict["Filter"]).(name); ok {
		filters = array{single}
	}
	parameters := f.array(s.dict["DecodeParms"])
	if single, ok := f.resolve(s.dict["DecodeParms"]).(dict); ok {
		parameters = array{single}
	}
	data := s.raw
	for i, filter := range filters[:min(len(filters), 4)] {
		var in io.Reader
		switch f.resolve(filter) {
		case name("FlateDecode"), name("Fl"):
			if len(data) < 2 {
				return nil
			}
			in = flate.NewReader(bytes.NewReader(data[2:])) // the checksum of zlib is often wrong
		case name("ASCIIHexDecode"), name("AHx"):
			l := lexer{data: append(slices.Clip(data), '>')}
			v, _ := l.hex()
			decoded, _ := v.(text)
			data = []byte(decoded)
			continue
		case name("ASCII85Decode"), name("A85"):
			data, _, _ = bytes.Cut(bytes.TrimPrefix(bytes.TrimSpace(data), []byte("<~")), []byte("~>"))
			in = ascii85.NewDecoder(bytes.NewReader(data))
		default:
			return nil
		}
		data = f.limited(in)
		if i < len(parameters) {
			data = f.predicted(data, f.dict(parameters[i]))
		}
	}
	return data
}

// limited reads what the limits allow. A damaged end costs the rest only.
func (f *file) limited(in io.Reader) []byte {
	most := min(maxStream, maxUnpacked-f.unpacked)
	data, err := io.ReadAll(io.LimitReader(in, int64(most)+1))
	if len(data) > most {
		f.exhausted = true
		return nil
	}
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && len(data) == 0 {
		return nil
	}
	f.unpacked += len(data)
	return data
}

// predicted undoes the filters of PNG, which some streams of objects have.
func (f *file) predicted(data []byte, parameters dict) []byte {
	if f.int(parameters["Predictor"]) < 10 {
		return data
	}
	width := max(f.int(parameters["Columns"]), 1)
	if colors := f.int(parameters["Colors"]); colors > 1 {
		width *= colors
	}
	if width > len(data) {
		return nil
	}
	above := make([]byte, width)
	out := make([]byte, 0, len(data))
	for len(data) > width {
		kind, row := data[0], slices.Clone(data[1:width+1])
		data = data[width+1:]
		for i := range row {
			var left, corner byte
			if i > 0 {
				left, corner = row[i-1], above[i-1]
			}
			switch kind {
			case 1:
				row[i] += left
			case 2:
				row[i] += above[i]
			case 3:
				row[i] += byte((int(left) + int(above[i])) / 2)
			case 4:
				row[i] += paeth(left, above[i], corner)
			}
		}
		out = append(out, row...)
		above = row
	}
	return out
}

func paeth(a, b, c byte) byte {
	p := int(a) + int(b) - int(c)
	da, db, dc := abs(p-int(a)), abs(p-int(b)), abs(p-int(c))
	switch {
	case da <= db && da <= dc:
		return a
	case db <= dc:
		return b
	}
	return c
}

func abs(n int) int { return max(n, -n) }

// page is a page with the resources that it has or inherits.
type page struct {
	dict      dict
	resources any
}

// pages lists the pages in their order.
func (f *file) pages() (out []page) {
	seen := make(map[int]bool)
	var walk func(v any, resources any, depth int)
	walk = func(v any, resources any, depth int) {
		if r, ok := v.(ref); ok {
			if seen[r.number] {
				return
			}
			seen[r.number] = true
		}
		d := f.dict(v)
		if d == nil || depth > maxDepth || len(out) >= maxPages {
			return
		}
		if own := d["Resources"]; own != nil {
			resources = own
		}
		kids := f.array(d["Kids"])
		if kids == nil {
			out = append(out, page{d, resources})
			return
		}
		for _, kid := range kids {
			walk(kid, resources, depth+1)
		}
	}
	if root := f.dict(f.trailer["Root"]); root["Pages"] != nil {
		walk(root["Pages"], nil, 0)
	}
	if len(out) > 0 {
		return out
	}
	for _, number := range f.numbers() { // the tree is damaged
		if d, ok := f.object(number).(dict); ok && d["Type"] == name("Page") && len(out) < maxPages {
			out = append(out, page{d, d["Resources"]})
		}
	}
	return out
}
