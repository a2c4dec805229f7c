package openai

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// events is the body of an event stream, cleaned for go-openai: one line of data
// for each event, no comments, no other fields. An error in the stream, and an
// end without [DONE], is an error of Read.
type events struct {
	wire     *wire
	body     io.Closer
	in       *bufio.Reader // of the body
	maxEvent int           // bytes; 0 means defaultMaxEvent

	began bool
	line  []byte // a line that is longer than the buffer
	data  []byte // of the event that is being read
	held  []byte // data that belongs to the next event
	out   []byte // not yet read
	buf   []byte // out is a part of it
	err   error  // after out
	done  bool   // [DONE] was read
}

// defaultMaxEvent bounds an event.
const defaultMaxEvent = 1 << 20

// Read implements io.Reader.
func (e *events) Read(p []byte) (int, error) {
	for len(e.out) == 0 {
		if e.err != nil {
			return 0, e.err
		}
		e.advance()
	}
	n := copy(p, e.out)
	e.out = e.out[n:]
	return n, nil
}

// drainTime is how long Close waits for the end of an answer that is complete,
// so that the connection can be used again.
const drainTime = 50 * time.Millisecond

// Close implements io.Closer.
func (e *events) Close() error {
	if e.done {
		timer := time.AfterFunc(drainTime, func() { e.body.Close() })
		io.Copy(io.Discard, io.LimitReader(e.in, maxFailure)) // what is wrong with it does not matter any more
		timer.Stop()
	}
	return e.body.Close()
}

var (
	doneMark  = []byte("[DONE]")
	errorMark = []byte(`"error"`)
)

// advance reads an event into out, or sets err.
func (e *events) advance() {
	isError, err := e.next()
	data := bytes.TrimSpace(e.data)
	switch {
	case err != nil:
		e.err = e.wire.brokeOff(err)
	case len(data) == 0:
	case bytes.Equal(data, doneMark):
		e.done = true
		e.emit("data: ", doneMark)
		e.err = io.EOF
	case isError || bytes.Contains(data, errorMark):
		f, ok := failureIn(data)
		if ok || isError {
			if !ok {
				f = failure{message: plain(data, "")}
			}
			e.err = e.wire.failed(0, f, 0)
			return
		}
		fallthrough
	case data[0] == '{':
		// The blank keeps go-openai from taking it for an error.
		e.emit("data: { ", bytes.TrimPrefix(data, []byte("{")))
	default:
		e.emit("data: ", data)
	}
}

func (e *events) emit(prefix string, data []byte) {
	e.buf = append(append(append(e.buf[:0], prefix...), data...), '\n')
	e.out = e.buf
}

// next reads the data of an event, and whether the event is called an error. The
// end of the body is an error: only [DONE] ends a stream.
func (e *events) next() (isError bool, err error) {
	e.data = append(e.data[:0], e.held...)
	e.held = e.held[:0]
	if e.complete() {
		return false, nil
	}
	for {
		line, err := e.readLine()
		if err == io.EOF {
			// A server may leave out the empty line at the end.
			if e.complete() {
				return isError, nil
			}
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return false, err
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch {
		case len(line) == 0:
			if len(e.data) > 0 {
				return isError, nil
			}
			isError = false
		case line[0] == '{': // no event stream, but what one would hold
			field, value = []byte("data"), line
		case string(field) == "event":
			isError = string(value) == "error"
		case string(field) == "error": // llama.cpp
			isError = true
			field = []byte("data")
		}
		if string(field) != "data" {
			continue
		}
		if len(e.data) > 0 {
			// The lines of an event are one value, but for servers that leave out the
			// empty line between events: no value has a line that ends with a brace
			// before one that begins with one.
			if bytes.HasSuffix(e.data, []byte("}")) && (bytes.HasPrefix(value, []byte("{")) || bytes.Equal(value, doneMark)) {
				e.held = append(e.held, value...)
				return isError, nil
			}
			e.data = append(e.data, ' ')
		}
		if e.data = append(e.data, value...); len(e.data) > e.limit() {
			return false, e.tooLong()
		}
	}
}

// complete reports whether data is an event as it stands. It is asked once for
// an event, and only where the empty line is missing.
func (e *events) complete() bool {
	return bytes.Equal(bytes.TrimSpace(e.data), doneMark) || json.Valid(e.data)
}

func (e *events) limit() int {
	if e.maxEvent > 0 {
		return e.maxEvent
	}
	return defaultMaxEvent
}

func (e *events) tooLong() error {
	return e.wire.malformed(fmt.Errorf("an event in it is longer than %d bytes", e.limit()))
}

// readLine reads a line without its end. It is valid until the next call.
func (e *events) readLine() ([]byte, error) {
	if !e.began {
		e.began = true
		if bom, _ := e.in.Peek(3); string(bom) == "\ufeff" {
			e.in.Discard(3)
		}
	}
	e.line = e.line[:0]
	for {
		part, err := e.in.ReadSlice('\n')
		switch {
		case err == nil && len(e.line) == 0:
			return bytes.TrimRight(part, "\r\n"), nil
		case err == nil, errors.Is(err, bufio.ErrBufferFull):
			if e.line = append(e.line, part...); len(e.line) > e.limit() {
				return nil, e.tooLong()
			}
			if err == nil {
				return bytes.TrimRight(e.line, "\r\n"), nil
			}
		case err == io.EOF && len(e.line)+len(part) > 0:
			e.line = append(e.line, part...)
			return e.line, nil
		default:
			return nil, err
		}
	}
}
