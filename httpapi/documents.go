package httpapi

import (
	"net/http"

	"github.com/api-assistant/api-assistant/vectorstore"
)

func (s *api) documentEndpoints() []endpoint {
	const tag = "documents"
	return []endpoint{
		{"POST /documents", call(s, http.StatusCreated, s.addDocuments), about{
			id: "addDocuments", tag: tag, summary: "Add documents",
			text: "All or nothing. A document without an id gets one made from its content. The same document again is " +
				"skipped; another one with the same id replaces it. What is acknowledged is on disk.",
			request: `{"documents": [{"content": "GET /orders lists orders", "metadata": {"method": "GET", "page": 2}}, {"id": "doc-1", "content": "POST /orders creates one"}]}`,
		}},
		{"POST /documents/upload", s.uploadAnswer(), about{
			id: "uploadDocuments", tag: tag, summary: "Upload files",
			text: "Reads API descriptions and documentation. A file replaces what was uploaded before under the same name. " +
				"The files of one request may refer to each other, and are stored all or not at all.",
		}},
		{"POST /documents/bulk-delete", call(s, http.StatusOK, s.bulkDelete), about{
			id: "deleteDocuments", tag: tag, summary: "Remove documents",
			request: `{"document_ids": ["doc-1", "nope"]}`,
		}},
		{"GET /documents/{id}", call(s, http.StatusOK, s.getDocument), about{
			id: "getDocument", tag: tag, summary: "Read a document", fails: []int{404},
		}},
		{"DELETE /documents/{id}", call(s, http.StatusOK, s.deleteDocument), about{
			id: "deleteDocument", tag: tag, summary: "Remove a document", fails: []int{404},
		}},
		{"GET /export/documents", s.exportAnswer(), about{
			id: "exportDocuments", tag: tag, summary: "Export all documents",
			text: "A list in the order of the ids, sent while it is read. An answer that is cut off is not valid JSON.",
		}},
	}
}

// documentsRequest is the body of POST /documents.
type documentsRequest struct {
	Documents []newDocument `json:"documents" validate:"min=1,dive"`
}

// newDocument is a document as callers send it.
type newDocument struct {
	ID       string   `json:"id" validate:"maxbytes=1024" doc:"left out or empty: made from the content"`
	Content  string   `json:"content" validate:"min=1"`
	Metadata metadata `json:"metadata" doc:"comes back exactly as sent"`
}

// documentsReply is the answer of POST /documents and /documents/upload.
type documentsReply struct {
	DocumentIDs  []string     `json:"document_ids" doc:"each once, in the order given"`
	Count        int          `json:"count"`
	NewCount     int          `json:"new_count"`
	UpdatedCount int          `json:"updated_count"`
	SkippedCount int          `json:"skipped_count"`
	Files        []fileReport `json:"files,omitempty"`
}

func (s *api) addDocuments(r *http.Request, in documentsRequest) (documentsReply, error) {
	docs := make([]vectorstore.Document, len(in.Documents))
	for i, d := range in.Documents {
		docs[i] = vectorstore.Document{ID: d.ID, Content: d.Content, Metadata: d.Metadata}
	}
	added, err := s.assistant.Corpus().Add(r.Context(), docs...)
	if err != nil {
		return documentsReply{}, err
	}
	return documentsReply{DocumentIDs: added.IDs, Count: len(added.IDs),
		NewCount: added.New, UpdatedCount: added.Updated, SkippedCount: added.Skipped}, nil
}

// documentID is a document in the path.
type documentID struct {
	ID string `path:"id"`
}

// document is a document as callers get it.
type document struct {
	ID       string   `json:"id"`
	Content  string   `json:"content"`
	Metadata metadata `json:"metadata"`
}

func documentOf(d vectorstore.Document) document {
	return document{d.ID, d.Content, object(d.Metadata)}
}

var errNoDocument = notFound("there is no document with this id")

func (s *api) getDocument(r *http.Request, in documentID) (document, error) {
	docs, err := s.assistant.Corpus().Get(r.Context(), in.ID)
	if err != nil {
		return document{}, err
	}
	if len(docs) == 0 {
		return document{}, errNoDocument
	}
	return documentOf(docs[0]), nil
}

// done is the answer of calls that only say that something was done.
type done struct {
	Success bool   `json:"success"`
	Message string `json:"message"`
}

func (s *api) deleteDocument(r *http.Request, in documentID) (done, error) {
	n, err := s.assistant.Corpus().Delete(r.Context(), in.ID)
	if err != nil {
		return done{}, err
	}
	if n == 0 {
		return done{}, errNoDocument
	}
	return done{true, "removed " + in.ID}, nil
}

// bulkDeleteRequest is the body of POST /documents/bulk-delete.
type bulkDeleteRequest struct {
	DocumentIDs []string `json:"document_ids" validate:"min=1,max=10000,dive,min=1,maxbytes=1024"`
}

type bulkDeleteReply struct {
	DeletedCount  int      `json:"deleted_count"`
	NotFoundCount int      `json:"not_found_count"`
	DocumentIDs   []string `json:"document_ids" doc:"those that were removed"`
}

func (s *api) bulkDelete(r *http.Request, in bulkDeleteRequest) (bulkDeleteReply, error) {
	ctx, corpus := r.Context(), s.assistant.Corpus()
	found, err := corpus.Get(ctx, in.DocumentIDs...)
	if err != nil {
		return bulkDeleteReply{}, err
	}
	there := make(map[string]bool, len(found))
	for _, d := range found {
		there[d.ID] = true
	}
	out := bulkDeleteReply{DocumentIDs: []string{}}
	asked := make(map[string]bool, len(in.DocumentIDs))
	for _, id := range in.DocumentIDs {
		switch {
		case asked[id]:
			continue
		case there[id]:
			out.DocumentIDs = append(out.DocumentIDs, id)
		default:
			out.NotFoundCount++
		}
		asked[id] = true
	}
	if out.DeletedCount, err = corpus.Delete(ctx, out.DocumentIDs...); err != nil {
		return bulkDeleteReply{}, err
	}
	// Another request may have removed some in between.
	out.NotFoundCount = len(asked) - out.DeletedCount
	return out, nil
}
