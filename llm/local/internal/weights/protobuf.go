package weights

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// cursor reads protocol buffer messages from a stretch of a file, and skips what
// is large.
type cursor struct {
	file    io.ReaderAt
	at, end int64
	buffer  []byte // of the file from start; shared with the cursors of parts
	start   *int64
}

const window = 1 << 14

func newCursor(file io.ReaderAt, size int64) *cursor {
	return &cursor{file: file, end: size, buffer: make([]byte, 0, window), start: new(int64)}
}

var errCut = errors.New("it breaks off")

func (c *cursor) byte() (byte, error) {
	if c.at >= c.end {
		return 0, errCut
	}
	if c.at < *c.start || c.at >= *c.start+int64(len(c.buffer)) {
		c.buffer = c.buffer[:min(window, c.end-c.at)]
		n, err := c.file.ReadAt(c.buffer, c.at)
		*c.start, c.buffer = c.at, c.buffer[:n]
		if n == 0 {
			return 0, fmt.Errorf("reading at byte %d: %w", c.at, err)
		}
	}
	b := c.buffer[c.at-*c.start]
	c.at++
	return b, nil
}

func (c *cursor) varint() (uint64, error) {
	var value uint64
	for shift := uint(0); shift < 64; shift += 7 {
		b, err := c.byte()
		if err != nil {
			return 0, err
		}
		value |= uint64(b&0x7F) << shift
		if b < 0x80 {
			return value, nil
		}
	}
	return 0, fmt.Errorf("a number before byte %d has more than 64 bits", c.at)
}

// field is one field of a message: a number, or the stretch from at to end.
type field struct {
	number  int
	value   uint64
	at, end int64
	bytes   bool // it is a stretch
}

// next reads the next field; io.EOF at the end of the message.
func (c *cursor) next() (field, error) {
	if c.at == c.end {
		return field{}, io.EOF
	}
	key, err := c.varint()
	if err != nil {
		return field{}, err
	}
	if key>>3 == 0 || key>>3 > math.MaxInt32 {
		return field{}, fmt.Errorf("a field before byte %d has the number %d", c.at, key>>3)
	}
	f := field{number: int(key >> 3)}
	skip := int64(0)
	switch key & 7 {
	case 0:
		f.value, err = c.varint()
	case 1:
		skip = 8
	case 2:
		var n uint64
		n, err = c.varint()
		if err == nil && n > uint64(c.end-c.at) {
			return field{}, fmt.Errorf("a field of %d bytes at byte %d: %w", n, c.at, errCut)
		}
		skip, f.bytes = int64(n), true
	case 5:
		skip = 4
	default:
		return field{}, fmt.Errorf("a field before byte %d has the wire type %d", c.at, key&7)
	}
	if err != nil {
		return field{}, err
	}
	if skip > c.end-c.at {
		return field{}, errCut
	}
	f.at = c.at
	c.at += skip
	f.end = c.at
	return f, nil
}

// part is a cursor over a field.
func (c *cursor) part(f field) *cursor {
	return &cursor{file: c.file, at: f.at, end: f.end, buffer: make([]byte, 0, min(window, f.end-f.at)), start: new(int64)}
}

const maxText = 1 << 12 // bytes of a name

func (c *cursor) text(f field) (string, error) {
	if !f.bytes || f.end-f.at > maxText {
		return "", fmt.Errorf("a name at byte %d has %d bytes", f.at, f.end-f.at)
	}
	b := make([]byte, f.end-f.at)
	if n, err := c.file.ReadAt(b, f.at); n < len(b) {
		return "", fmt.Errorf("reading at byte %d: %w", f.at, err)
	}
	return string(b), nil
}

// each calls do for each field of the rest of the message.
func (c *cursor) each(do func(field) error) error {
	for {
		f, err := c.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := do(f); err != nil {
			return err
		}
	}
}
