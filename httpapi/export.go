package httpapi

import (
	"bufio"
	"encoding/json"
	"net/http"
	"reflect"
	"time"
)

// exportQuery is the query of GET /export/documents.
type exportQuery struct {
	Limit *integer `query:"limit" validate:"omitnil,min=1" doc:"left out: all"`
}

func (s *api) exportAnswer() answer {
	return answer{serve: s.export, status: http.StatusOK, in: reflect.TypeFor[exportQuery](), out: reflect.TypeFor[[]document]()}
}

// export streams all documents. Once it has begun, an error can only be shown
// by ending the connection, so that nobody takes a part for the whole.
func (s *api) export(w http.ResponseWriter, r *http.Request) error {
	var in exportQuery
	if err := s.read(w, r, &in); err != nil {
		return err
	}
	list := listWriter{timed: timed{w, http.NewResponseController(w)}}
	for d, err := range s.assistant.Corpus().All(r.Context(), nil) {
		if err == nil {
			err = list.add(documentOf(d))
		}
		if err != nil && !list.begun() {
			return err
		}
		if err != nil {
			s.Logger.ErrorContext(r.Context(), "an export was cut off", "error", err, "request_id", requestID(w))
			panic(http.ErrAbortHandler) // how net/http ends a connection; it is not logged
		}
		if in.Limit != nil && list.items == int(*in.Limit) || r.Method == http.MethodHead {
			break
		}
	}
	return list.end()
}

// timed is a writer that gives its client a time for each write.
type timed struct {
	http.ResponseWriter
	*http.ResponseController
}

func (t timed) Write(b []byte) (int, error) {
	// A writer without deadlines, as in tests, writes all the same.
	_ = t.SetWriteDeadline(time.Now().Add(writeTimeout))
	return t.ResponseWriter.Write(b)
}

// listWriter writes a JSON list item by item.
type listWriter struct {
	timed timed
	out   *bufio.Writer // nil until begun
	items int
}

const listBuffer = 64 << 10

func (l *listWriter) begun() bool { return l.out != nil }

func (l *listWriter) begin() error {
	l.timed.Header().Set("Content-Type", mediaJSON+"; charset=utf-8")
	l.timed.Header().Set("X-Content-Type-Options", "nosniff")
	l.out = bufio.NewWriterSize(l.timed, listBuffer)
	return l.out.WriteByte('[')
}

func (l *listWriter) add(item any) error {
	encoded, err := json.Marshal(item)
	if err != nil {
		return err
	}
	if !l.begun() {
		err = l.begin()
	} else {
		_, err = l.out.WriteString(",\n")
	}
	if err != nil {
		return err
	}
	l.items++
	_, err = l.out.Write(encoded)
	return err
}

func (l *listWriter) end() error {
	if !l.begun() {
		if err := l.begin(); err != nil {
			return err
		}
	}
	// What fails from here on is that the client is gone.
	l.out.WriteString("]\n")
	l.out.Flush()
	return nil
}
