package ingest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decodeText makes UTF-8 of a file: byte order marks are removed, UTF-16 is
// converted, anything else that is not UTF-8 is refused.
func decodeText(name string, raw []byte) (string, error) {
	switch {
	case bytes.HasPrefix(raw, []byte("\xef\xbb\xbf")):
		raw = raw[3:]
	case bytes.HasPrefix(raw, []byte("\xff\xfe")):
		raw = fromUTF16(raw[2:], binary.LittleEndian)
	case bytes.HasPrefix(raw, []byte("\xfe\xff")):
		raw = fromUTF16(raw[2:], binary.BigEndian)
	case len(raw) >= 4 && raw[0] != 0 && raw[1] == 0 && raw[2] != 0 && raw[3] == 0: // without a mark, as some editors write it
		raw = fromUTF16(raw, binary.LittleEndian)
	case len(raw) >= 4 && raw[0] == 0 && raw[1] != 0 && raw[2] == 0 && raw[3] != 0:
		raw = fromUTF16(raw, binary.BigEndian)
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return "", &Error{File: name, Err: ErrEmpty}
	}
	text := string(raw)
	if i := strings.IndexByte(text, 0); i >= 0 {
		return "", encodingError(name, text, i, "a NUL character: this is a binary file")
	}
	if !utf8.ValidString(text) {
		i := 0
		for i < len(text) {
			r, size := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			i += size
		}
		return "", encodingError(name, text, i, fmt.Sprintf("byte 0x%02x is not UTF-8; save the file as UTF-8", text[i]))
	}
	return text, nil
}

func encodingError(name, text string, at int, reason string) error {
	line, column := position(text, at)
	return &Error{File: name, Line: line, Column: column, Err: ErrEncoding, Reason: reason}
}

func fromUTF16(raw []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = order.Uint16(raw[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}

// position turns a byte offset into line and column, both from 1.
func position(text string, at int) (line, column int) {
	before := text[:min(max(at, 0), len(text))]
	return 1 + strings.Count(before, "\n"), len(before) - strings.LastIndexByte(before, '\n')
}
