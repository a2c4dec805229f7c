package bm25

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
)

// Errors of Read.
var (
	// ErrDamaged means that the data is cut off, was changed, or is not an index.
	ErrDamaged = errors.New("bm25: damaged index data")
	// ErrMismatch means that the index was written with another analyser, other
	// field weights, or another version of the format.
	ErrMismatch = errors.New("bm25: index data does not fit these options")
)

// The format: the magic, then all numbers as uvarints and all texts with their
// length before them: the analyser's name, the field weights, the terms by number,
// the documents (ID, length, terms as differences of ascending numbers, each with
// its frequency), and the SHA-256 of everything before it.
const magic = "bm25 index 1\n"

// WriteTo indexes what is queued and writes the index, for Read. It may run beside
// anything else, and writes the documents of one moment. It implements
// io.WriterTo.
func (x *Index) WriteTo(w io.Writer) (int64, error) {
	snapshot := x.current()
	e := &encoder{w: w, sum: sha256.New()}
	e.buffer.WriteString(magic)
	e.text(x.analyzer.Name())
	e.text(x.weights.String())

	numbers, terms := renumber(snapshot)
	e.number(uint64(len(terms)))
	for _, term := range terms {
		e.text(x.dict.term(term))
	}
	e.number(uint64(snapshot.docs))
	for _, v := range snapshot.views {
		e.documents(v, numbers)
	}
	e.flush()
	if e.err == nil {
		e.sink(e.sum.Sum(nil))
	}
	if e.err != nil {
		return e.written, fmt.Errorf("bm25: writing the index: %w", e.err)
	}
	return e.written, nil
}

// renumber gives the terms of the live documents new numbers in the same order,
// without gaps: by old number, and the old ones in order.
func renumber(s *snapshot) (numbers map[uint32]uint32, terms []uint32) {
	numbers = make(map[uint32]uint32)
	for _, v := range s.views {
		for slot, term := range v.terms.numbers {
			if _, ok := numbers[term]; !ok && v.documents(slot) > 0 {
				numbers[term] = 0
				terms = append(terms, term)
			}
		}
	}
	slices.Sort(terms)
	for i, term := range terms {
		numbers[term] = uint32(i)
	}
	return numbers, terms
}

// encoder writes in pieces, and keeps the first error.
type encoder struct {
	w       io.Writer
	sum     hash.Hash
	buffer  bytes.Buffer
	written int64
	err     error
}

// piece is how much is written at a time.
const piece = 1 << 16

func (e *encoder) number(n uint64) {
	e.buffer.Write(binary.AppendUvarint(e.buffer.AvailableBuffer(), n))
}

func (e *encoder) text(s string) {
	e.number(uint64(len(s)))
	e.buffer.WriteString(s)
	if e.buffer.Len() >= piece {
		e.flush()
	}
}

func (e *encoder) flush() {
	e.sum.Write(e.buffer.Bytes())
	e.sink(e.buffer.Bytes())
	e.buffer.Reset()
}

func (e *encoder) sink(b []byte) {
	if e.err != nil {
		return
	}
	n, err := e.w.Write(b)
	e.written += int64(n)
	e.err = err
}

// documents writes the live documents of a view.
func (e *encoder) documents(v *view, numbers map[uint32]uint32) {
	next := slices.Clone(v.starts) // by slot: the next document's posting
	type termCount struct {
		number uint32
		tf     uint64
	}
	var counts []termCount
	for doc, id := range v.ids {
		counts = counts[:0]
		v.eachTerm(doc, func(term uint32) {
			slot, _ := v.terms.slot(term)
			counts = append(counts, termCount{numbers[term], uint64(v.frequency(int(next[slot])))})
			next[slot]++
		})
		if v.isDead(doc) {
			continue
		}
		e.text(id)
		e.number(uint64(v.lengths[doc]))
		e.number(uint64(len(counts)))
		var before uint32
		for _, c := range counts {
			e.number(uint64(c.number - before))
			e.number(c.tf)
			before = c.number
		}
	}
}

// Read makes an index of what WriteTo has written. The analyser and the field
// weights of the options must be those with which it was written; k1 and b may be
// others. Data that is not whole, to the last byte, is an error: ErrDamaged,
// ErrMismatch, or that of r, from which more may have been read than the index.
func Read(r io.Reader, opts ...Option) (*Index, error) {
	x := New(opts...)
	d := &decoder{r: bufio.NewReaderSize(r, piece), sum: sha256.New()}
	if err := d.index(x); err != nil {
		return nil, err
	}
	return x, nil
}

// decoder reads numbers and texts, and adds up what it has read.
type decoder struct {
	r    *bufio.Reader
	sum  hash.Hash
	read []byte // and not in sum yet
}

func (d *decoder) index(x *Index) error {
	if found, err := d.bytes(len(magic)); err != nil {
		return err
	} else if string(found) != magic {
		return fmt.Errorf("%w: it starts with %.20q", ErrDamaged, found)
	}
	for _, want := range []struct{ what, value string }{{"analyser", x.analyzer.Name()}, {"field weights", x.weights.String()}} {
		if found, err := d.text(); err != nil {
			return err
		} else if found != want.value {
			return fmt.Errorf("%w: its %s: %.200q, here: %.200q", ErrMismatch, want.what, found, want.value)
		}
	}
	terms, err := d.terms(x)
	if err != nil {
		return err
	}
	docs, err := d.number(math.MaxUint32)
	if err != nil {
		return err
	}
	var views []*view
	build := func() { views = append(views, &view{segment: x.builder.build(x.params)}) }
	for range docs {
		if err := d.document(x.builder, terms); err != nil {
			return err
		}
		if len(x.builder.docs) == maxSegment {
			build()
		}
	}
	if len(x.builder.docs) > 0 {
		build()
	}
	if err := d.check(); err != nil {
		return err
	}
	if err := unique(views); err != nil {
		return err
	}
	x.snapshot.Store(newSnapshot(views))
	return nil
}

// unique checks that no ID occurs twice.
func unique(views []*view) error {
	seen := make(map[string]struct{})
	for _, v := range views {
		for _, id := range v.ids {
			if _, ok := seen[id]; ok {
				return fmt.Errorf("%w: the ID %.100q occurs twice", ErrDamaged, id)
			}
			seen[id] = struct{}{}
		}
	}
	return nil
}

// terms reads the terms into the dictionary, and returns how many there are.
func (d *decoder) terms(x *Index) (uint32, error) {
	n, err := d.number(math.MaxUint32)
	if err != nil {
		return 0, err
	}
	for i := range uint32(n) {
		term, err := d.text()
		if err != nil {
			return 0, err
		}
		if x.dict.add([]byte(term)) != i {
			return 0, fmt.Errorf("%w: the term %.100q occurs twice", ErrDamaged, term)
		}
	}
	return uint32(n), nil
}

// document stages the next document.
func (d *decoder) document(b *builder, terms uint32) error {
	id, err := d.text()
	if err != nil {
		return err
	}
	if id == "" {
		return fmt.Errorf("%w: a document without an ID", ErrDamaged)
	}
	length, err := d.number(math.MaxUint32)
	if err != nil {
		return err
	}
	n, err := d.number(uint64(terms))
	if err != nil {
		return err
	}
	var term uint64
	for i := range n {
		difference, err := d.number(uint64(terms))
		if err != nil {
			return err
		}
		tf, err := d.number(math.MaxUint32)
		if err != nil {
			return err
		}
		if term += difference; term >= uint64(terms) || difference == 0 && i > 0 || tf == 0 {
			return fmt.Errorf("%w: the terms of document %.100q", ErrDamaged, id)
		}
		b.entries = append(b.entries, entry{uint32(term), uint32(tf)})
	}
	b.docs = append(b.docs, staged{id, uint32(length), len(b.entries)})
	return nil
}

// number reads a number that is at most some other.
func (d *decoder) number(most uint64) (uint64, error) {
	var n uint64
	for shift := 0; shift < 64; shift += 7 {
		b, err := d.r.ReadByte()
		if err != nil {
			return 0, d.failed(err)
		}
		if d.read = append(d.read, b); len(d.read) >= piece {
			d.add()
		}
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			break
		}
	}
	if n > most {
		return 0, fmt.Errorf("%w: %d where at most %d can be", ErrDamaged, n, most)
	}
	return n, nil
}

// text reads a text. Its memory grows with what is there, not with what its
// length says.
func (d *decoder) text() (string, error) {
	n, err := d.number(math.MaxInt32)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for left := int(n); left > 0; {
		part, err := d.bytes(min(left, piece))
		if err != nil {
			return "", err
		}
		b.Write(part)
		left -= len(part)
	}
	return b.String(), nil
}

// bytes reads at most a piece. The slice is valid until the next call.
func (d *decoder) bytes(n int) ([]byte, error) {
	b, err := d.r.Peek(n)
	if err != nil {
		return nil, d.failed(err)
	}
	d.add()
	d.sum.Write(b)
	_, err = d.r.Discard(n)
	return b, err
}

func (d *decoder) add() {
	d.sum.Write(d.read)
	d.read = d.read[:0]
}

// check compares the checksum that comes next with what was read.
func (d *decoder) check() error {
	d.add()
	want := d.sum.Sum(nil)
	found := make([]byte, len(want))
	if _, err := io.ReadFull(d.r, found); err != nil {
		return d.failed(err)
	}
	if !bytes.Equal(found, want) {
		return fmt.Errorf("%w: the checksum differs", ErrDamaged)
	}
	return nil
}

// failed says that the data ends too early, or that it cannot be read.
func (d *decoder) failed(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends too early", ErrDamaged)
	}
	return fmt.Errorf("bm25: reading the index: %w", err)
}

// String names the weights, as indexes are compared by them.
func (w weights) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "1=%d", max(w.one, 1))
	for _, field := range slices.Sorted(maps.Keys(w.units)) {
		if w.units[field] == max(w.one, 1) {
			continue
		}
		fmt.Fprintf(&b, " %q=%d", field, w.units[field])
	}
	return b.String()
}
