package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/api-assistant/api-assistant/assistant"
)

// mediaEvents is the media type of server-sent events.
const mediaEvents = "text/event-stream"

// events writes server-sent events. Each write has its own deadline, so that a
// client that stops reading holds nothing for long.
type events struct {
	w          http.ResponseWriter
	connection *http.ResponseController
}

func newEvents(w http.ResponseWriter) events {
	h := w.Header()
	h.Set("Content-Type", mediaEvents)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // proxies that would collect the answer pass it on
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusOK)
	return events{w, http.NewResponseController(w)}
}

// send writes one event. Its data is one line, as JSON always can be.
func (e events) send(name string, data any) error {
	encoded, err := json.Marshal(data)
	if err != nil {
		return err
	}
	// A writer without deadlines, as in tests, writes all the same.
	_ = e.connection.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := fmt.Fprintf(e.w, "event: %s\ndata: %s\n\n", name, encoded); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	if err := e.connection.Flush(); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}

// chatDelta is the data of an event "delta".
type chatDelta struct {
	Text string `json:"text"`
}

// streamChat answers with events. What is wrong before the first event is
// answered as everywhere; after it, it is an event.
func (s *api) streamChat(w http.ResponseWriter, r *http.Request, talk *conversation) error {
	var out events
	reply, err := talk.ask(r.Context(), func(event assistant.Event) error {
		if out.w == nil {
			out = newEvents(w)
		}
		switch {
		case event.Delta != "":
			return out.send("delta", chatDelta{event.Delta})
		case event.Verification != nil:
			return out.send("verification", event.Verification)
		}
		return out.send("sources", sourcesOf(event.Sources))
	})
	switch {
	case out.w == nil && err != nil:
		return err
	case out.w == nil: // an answer without any event before it
		out = newEvents(w)
	case err != nil:
		p := explain(err)
		s.report(r, w, p, err)
		_ = out.send("error", p.body(requestID(w))) // the client may be gone
		return nil
	}
	_ = out.send("done", reply)
	return nil
}
