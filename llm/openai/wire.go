package openai

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/api-assistant/api-assistant/llm"
)

// wire stands between go-openai and the network: it turns every failure into an
// *llm.Error, with what the headers say about it, and hands on clean answers
// only. go-openai passes the errors of its HTTP client and of a body on as they
// are.
type wire struct {
	provider string
	client   *http.Client
	header   http.Header
	hide     func(string) string
	maxBody  int64 // bytes of an answer in one piece
	told     atomic.Pointer[Limits]
}

// maxFailure bounds how much of an error body is read.
const maxFailure = 64 << 10

// Do makes a request.
func (w *wire) Do(req *http.Request) (*http.Response, error) {
	for name, values := range w.header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, w.network(err)
	}
	now := time.Now()
	if l := limitsOf(resp.Header); l != (Limits{}) {
		w.told.Store(&l)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, w.refused(resp, now)
	}
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	streamed := strings.Contains(req.Header.Get("Accept"), "text/event-stream")
	if streamed && mediaType != "text/html" {
		in := bufio.NewReader(resp.Body)
		if mediaType != "application/json" || beginsAStream(in) {
			resp.Body = &events{wire: w, body: resp.Body, in: in}
			return resp, nil
		}
		resp.Body = readCloser{in, resp.Body}
	}
	body, err := w.readAll(resp, mediaType)
	if err != nil {
		return nil, err
	}
	if streamed { // the server does not stream: one event
		body = append(append([]byte("data: "), body...), "\n\ndata: [DONE]\n\n"...)
		resp.Body = &events{wire: w, body: io.NopCloser(nil), in: bufio.NewReader(bytes.NewReader(body)), maxEvent: len(body)}
		return resp, nil
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// beginsAStream reports whether what claims to be JSON is an event stream: some
// servers say so.
func beginsAStream(in *bufio.Reader) bool {
	first, err := in.Peek(1)
	return err == nil && bytes.ContainsAny(first, "deir:") // data, event, id, retry, a comment
}

// readAll reads an answer in one piece, which must be one JSON value and no
// error. It comes back on one line.
func (w *wire) readAll(resp *http.Response, mediaType string) ([]byte, error) {
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, w.maxBody+1))
	switch {
	case err != nil:
		return nil, w.brokeOff(err)
	case int64(len(body)) > w.maxBody:
		return nil, w.malformed(fmt.Errorf("it is longer than %d bytes", w.maxBody))
	case mediaType == "text/html":
		return nil, w.malformed(errors.New("it is a web page; is the base URL right?"))
	}
	var line bytes.Buffer
	if err := json.Compact(&line, body); err != nil {
		return nil, w.malformed(errNotJSON)
	}
	if f, ok := failureIn(line.Bytes()); ok {
		return nil, w.failed(0, f, 0)
	}
	return line.Bytes(), nil
}

// refused makes an error of an answer whose status is none of success.
func (w *wire) refused(resp *http.Response, now time.Time) error {
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxFailure))
	if err != nil && stopped(err) {
		return err
	}
	f, ok := failureIn(body)
	if !ok {
		f = failure{message: plain(body, resp.Header.Get("Content-Type"))}
	}
	if to, err := resp.Location(); err == nil {
		f.message = "redirects are not followed; if it is right, set the base URL to " + to.Scheme + "://" + to.Host
	}
	return w.failed(resp.StatusCode, f, retryAfter(resp, now))
}

// failed makes an error of what a server says.
func (w *wire) failed(status int, f failure, after time.Duration) error {
	e := &llm.Error{Provider: w.provider, Status: status, RetryAfter: after, Kind: f.kind(status)}
	if text := f.text(w.hide); text != "" {
		e.Cause = errors.New(text)
	}
	return e
}

// network makes an error of a request that got no answer.
func (w *wire) network(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err // without method and address
	}
	if stopped(err) {
		return err
	}
	if strings.HasPrefix(err.Error(), "failed to parse Location header") {
		return w.invalid("redirects are not followed, and this one leads nowhere") // the text would quote the header
	}
	kind := llm.ErrUnavailable
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		kind = llm.ErrTimeout
	}
	return &llm.Error{Provider: w.provider, Kind: kind, Cause: w.clean(err)}
}

// brokeOff makes an error of an answer that broke off.
func (w *wire) brokeOff(err error) error {
	var known *llm.Error
	if stopped(err) || errors.As(err, &known) {
		return err
	}
	return &llm.Error{Provider: w.provider, Kind: llm.ErrTruncated, Cause: w.clean(err)}
}

func (w *wire) malformed(cause error) error {
	return &llm.Error{Provider: w.provider, Kind: llm.ErrMalformed, Cause: cause}
}

func (w *wire) invalid(format string, args ...any) error {
	return &llm.Error{Provider: w.provider, Kind: llm.ErrInvalid, Cause: fmt.Errorf(format, args...)}
}

// clean is an error without secrets: the same one, if it has none.
func (w *wire) clean(err error) error {
	if text := err.Error(); w.hide(text) != text {
		return errors.New(w.hide(text))
	}
	return err
}

// explain makes the error of a call that failed in go-openai: that of ctx, ours,
// or one of go-openai itself, which either cannot read the answer or does not
// send the request.
func (w *wire) explain(ctx context.Context, err error) error {
	var (
		known  *llm.Error
		syntax *json.SyntaxError
		typed  *json.UnmarshalTypeError
	)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &known):
		return known
	case stopped(err):
		return &llm.Error{Provider: w.provider, Kind: llm.ErrTimeout} // of the HTTP client
	case errors.As(err, &syntax), errors.As(err, &typed), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return w.malformed(errNotJSON)
	}
	return &llm.Error{Provider: w.provider, Kind: llm.ErrInvalid, Cause: w.clean(err)}
}

// explainEnd is explain for the end of a stream, where io.EOF is success.
func (w *wire) explainEnd(ctx context.Context, err error) error {
	if err == io.EOF {
		return ctx.Err()
	}
	return w.explain(ctx, err)
}

// stopped reports whether an error is the end of a context.
func stopped(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func (w *wire) limits() Limits {
	if l := w.told.Load(); l != nil {
		return *l
	}
	return Limits{}
}
