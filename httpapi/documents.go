package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// documentsRequest is the body of POST /documents.
type documentsRequest struct {
	Documents []struct {
		ID       string   `json:"id" validate:"max=1024"`
		Content  string   `json:"content" validate:"required"`
		Metadata metadata `json:"metadata"`
	} `json:"documents" validate:"min=1,dive"`
}

// metadata is a JSON object of scalars and lists of scalars.
type metadata map[string]any

// UnmarshalJSON keeps integers exact and refuses nested values.
func (m *metadata) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var raw map[string]any
	if err := d.Decode(&raw); err != nil {
		return errors.New("metadata must be an object")
	}
	for key, v := range raw {
		list, isList := v.([]any)
		if !isList {
			list = []any{v}
		}
		for i, e := range list {
			switch e := e.(type) {
			case map[string]any, []any:
				return errors.New("metadata values must be strings, numbers, booleans, null, or lists of them")
			case json.Number:
				list[i] = exact(e)
			}
		}
		if isList {
			raw[key] = list
		} else {
			raw[key] = list[0]
		}
	}
	*m = raw
	return nil
}

// exact is the Go number that holds a JSON number best.
func exact(n json.Number) any {
	if i, err := n.Int64(); err == nil {
		return i
	}
	f, _ := n.Float64() // out of range is infinite, which the store refuses
	return f
}

// documentsReply is the answer of POST /documents and /documents/upload.
type documentsReply struct {
	DocumentIDs  []string     `json:"document_ids"`
	Count        int          `json:"count"`
	NewCount     int          `json:"new_count"`
	UpdatedCount int          `json:"updated_count"`
	SkippedCount int          `json:"skipped_count"`
	Files        []fileReport `json:"files,omitempty"`
}

func (s *api) addDocuments(w http.ResponseWriter, r *http.Request) error {
	var req documentsRequest
	if err := s.decode(w, r, &req); err != nil {
		return err
	}
	docs := make([]vectorstore.Document, len(req.Documents))
	for i, d := range req.Documents {
		docs[i] = vectorstore.Document{ID: d.ID, Content: d.Content, Metadata: d.Metadata}
	}
	added, err := s.assistant.Corpus().Add(r.Context(), docs...)
	if err != nil {
		return err
	}
	s.reply(w, r, http.StatusCreated, documentsReply{DocumentIDs: added.IDs, Count: len(added.IDs),
		NewCount: added.New, UpdatedCount: added.Updated, SkippedCount: added.Skipped})
	return nil
}

func (s *api) getDocument(w http.ResponseWriter, r *http.Request) error {
	docs, err := s.assistant.Corpus().Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if len(docs) == 0 {
		return notFound("there is no document with this id")
	}
	d := docs[0]
	s.reply(w, r, http.StatusOK, struct {
		ID       string         `json:"id"`
		Content  string         `json:"content"`
		Metadata map[string]any `json:"metadata"`
	}{d.ID, d.Content, object(d.Metadata)})
	return nil
}

// object makes an absent map an empty JSON object.
func object(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

func (s *api) deleteDocument(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	n, err := s.assistant.Corpus().Delete(r.Context(), id)
	if err != nil {
		return err
	}
	if n == 0 {
		return notFound("there is no document with this id")
	}
	s.reply(w, r, http.StatusOK, map[string]any{"success": true, "message": "removed " + id})
	return nil
}
