package httpapi

import (
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/api-assistant/api-assistant/assistant/session"
)

func (s *api) sessionEndpoints() []endpoint {
	const tag = "sessions"
	return []endpoint{
		{"POST /sessions", call(s, http.StatusCreated, s.createSession), about{
			id: "createSession", tag: tag, summary: "Begin a session", fails: []int{409},
			request: `{"user_id": "alice", "ttl_minutes": 60, "settings": {"default_n_results": 10}}`,
		}},
		{"GET /sessions", call(s, http.StatusOK, s.listSessions), about{
			id: "listSessions", tag: tag, summary: "List sessions",
		}},
		{"GET /sessions/stats", call(s, http.StatusOK, s.sessionStats), about{
			id: "countSessions", tag: tag, summary: "Count sessions",
		}},
		{"GET /sessions/{id}", call(s, http.StatusOK, s.getSession), about{
			id: "getSession", tag: tag, summary: "Read a session, also an expired one", fails: []int{404},
		}},
		{"PATCH /sessions/{id}", call(s, http.StatusOK, s.changeSession), about{
			id: "changeSession", tag: tag, summary: "Change a session", fails: []int{404, 409},
			text:    "What is left out or null stays as it is; metadata and settings are merged with what is there.",
			request: `{"settings": {"show_scores": false}, "metadata": {"topic": "orders"}}`,
		}},
		{"DELETE /sessions/{id}", call(s, http.StatusOK, s.deleteSession), about{
			id: "deleteSession", tag: tag, summary: "Remove a session", fails: []int{404},
		}},
		{"POST /sessions/{id}/activate", call(s, http.StatusOK, s.activateSession), about{
			id: "activateSession", tag: tag, summary: "Make a session active again, from now", fails: []int{404},
		}},
		{"POST /sessions/{id}/messages", call(s, http.StatusOK, s.addMessage), about{
			id: "addMessage", tag: tag, summary: "Append a message", fails: []int{404, 409},
			request: `{"role": "user", "content": "How do I place an order?"}`,
		}},
		{"DELETE /sessions/{id}/messages", call(s, http.StatusOK, s.clearMessages), about{
			id: "clearMessages", tag: tag, summary: "Remove all messages", fails: []int{404, 409},
		}},
	}
}

// createSessionRequest is the body of POST /sessions, which may be missing.
type createSessionRequest struct {
	_          struct{}        `body:"optional"`
	UserID     *string         `json:"user_id" validate:"omitnil,maxbytes=512"`
	TTLMinutes integer         `json:"ttl_minutes" default:"60" validate:"min=1,max=10080"`
	Settings   *settingsChange `json:"settings" doc:"what is left out has its default"`
	Collection *string         `json:"collection_name" validate:"omitnil,maxbytes=512"`
}

// settingsChange are settings to change; what is left out or null stays.
type settingsChange struct {
	SearchMode         *string    `json:"default_search_mode" validate:"omitnil,oneof=vector lexical hybrid reranked"`
	NResults           *integer   `json:"default_n_results" validate:"omitnil,min=1,max=100"`
	UseReranking       *boolean   `json:"use_reranking"`
	UseQueryExpansion  *boolean   `json:"use_query_expansion"`
	UseDiversification *boolean   `json:"use_diversification"`
	ShowScores         *boolean   `json:"show_scores"`
	ShowMetadata       *boolean   `json:"show_metadata"`
	MaxContentLength   *integer   `json:"max_content_length" validate:"omitnil,min=100,max=2000"`
	Collection         *string    `json:"default_collection" validate:"omitnil,maxbytes=512" doc:"empty: none"`
	CustomMetadata     *anyObject `json:"custom_metadata" doc:"replaces what is there"`
}

// apply changes the settings that were sent.
func (c *settingsChange) apply(to *session.Settings) {
	if c == nil {
		return
	}
	set(&to.DefaultSearchMode, c.SearchMode)
	set(&to.DefaultCollection, c.Collection)
	set((*integer)(&to.DefaultNResults), c.NResults)
	set((*integer)(&to.MaxContentLength), c.MaxContentLength)
	set((*boolean)(&to.UseReranking), c.UseReranking)
	set((*boolean)(&to.UseQueryExpansion), c.UseQueryExpansion)
	set((*boolean)(&to.UseDiversification), c.UseDiversification)
	set((*boolean)(&to.ShowScores), c.ShowScores)
	set((*boolean)(&to.ShowMetadata), c.ShowMetadata)
	set((*anyObject)(&to.CustomMetadata), c.CustomMetadata)
}

// set assigns what was sent.
func set[T any](to *T, sent *T) {
	if sent != nil {
		*to = *sent
	}
}

// sessionBody is a session inside an object.
type sessionBody struct {
	Session sessionView `json:"session"`
}

func (s *api) createSession(r *http.Request, in createSessionRequest) (sessionBody, error) {
	n := session.New{Owner: s.Principal(r), TTL: time.Duration(in.TTLMinutes) * time.Minute, Settings: session.DefaultSettings()}
	set(&n.UserID, in.UserID)
	set(&n.Collection, in.Collection)
	in.Settings.apply(&n.Settings)
	made, err := s.Sessions.Create(r.Context(), n)
	return sessionBody{viewOf(made)}, err
}

type sessionsQuery struct {
	UserID string  `query:"user_id"`
	Status string  `query:"status_filter" validate:"omitempty,oneof=active inactive expired"`
	Limit  integer `query:"limit" default:"0" validate:"min=0,max=10000" doc:"0: all"`
}

type sessionsReply struct {
	Sessions []sessionView `json:"sessions" doc:"newest first"`
	Total    int           `json:"total"`
}

func (s *api) listSessions(r *http.Request, in sessionsQuery) (sessionsReply, error) {
	found, err := s.Sessions.List(r.Context(), s.Principal(r),
		session.ListFilter{UserID: in.UserID, Status: session.Status(in.Status), Limit: int(in.Limit)})
	if err != nil {
		return sessionsReply{}, err
	}
	out := sessionsReply{Sessions: make([]sessionView, len(found)), Total: len(found)}
	for i, f := range found {
		out.Sessions[i] = viewOf(f)
	}
	return out, nil
}

func (s *api) sessionStats(r *http.Request, _ none) (session.Stats, error) {
	return s.Sessions.Stats(r.Context(), s.Principal(r))
}

// sessionID is a session in the path.
type sessionID struct {
	ID string `path:"id"`
}

func (s *api) getSession(r *http.Request, in sessionID) (sessionView, error) {
	found, err := s.Sessions.Get(r.Context(), s.Principal(r), in.ID)
	return viewOf(found), err
}

// sessionChange is the body of PATCH /sessions/{id}.
type sessionChange struct {
	ID         string          `path:"id"`
	UserID     *string         `json:"user_id" validate:"omitnil,maxbytes=512"`
	Status     *string         `json:"status" validate:"omitnil,oneof=active inactive expired"`
	Metadata   *anyObject      `json:"metadata"`
	Settings   *settingsChange `json:"settings"`
	TTLMinutes *integer        `json:"ttl_minutes" validate:"omitnil,min=1,max=10080" doc:"from now"`
	Collection *string         `json:"collection_name" validate:"omitnil,maxbytes=512"`
}

func (s *api) changeSession(r *http.Request, in sessionChange) (sessionView, error) {
	changed, err := s.Sessions.Update(r.Context(), s.Principal(r), in.ID, func(to *session.Session) error {
		set(&to.UserID, in.UserID)
		set((*string)(&to.Status), in.Status)
		set(&to.Collection, in.Collection)
		in.Settings.apply(&to.Settings)
		if in.Metadata != nil {
			if to.Metadata == nil {
				to.Metadata = make(map[string]any)
			}
			maps.Copy(to.Metadata, *in.Metadata)
		}
		if in.TTLMinutes != nil {
			return to.Renew(time.Duration(*in.TTLMinutes) * time.Minute)
		}
		return nil
	})
	return viewOf(changed), err
}

func (s *api) deleteSession(r *http.Request, in sessionID) (done, error) {
	if err := s.Sessions.Delete(r.Context(), s.Principal(r), in.ID); err != nil {
		return done{}, err
	}
	return done{true, fmt.Sprintf("removed %s", in.ID)}, nil
}

type activation struct {
	ID         string  `path:"id"`
	TTLMinutes integer `query:"ttl_minutes" default:"60" validate:"min=1,max=10080"`
}

func (s *api) activateSession(r *http.Request, in activation) (sessionView, error) {
	active, err := s.Sessions.Activate(r.Context(), s.Principal(r), in.ID, time.Duration(in.TTLMinutes)*time.Minute)
	return viewOf(active), err
}

// newMessage is the body of POST /sessions/{id}/messages.
type newMessage struct {
	ID       string     `path:"id"`
	Role     string     `json:"role" validate:"oneof=user assistant system"`
	Content  string     `json:"content" validate:"min=1,maxbytes=262144"`
	Metadata *anyObject `json:"metadata"`
}

func (s *api) addMessage(r *http.Request, in newMessage) (sessionView, error) {
	m := session.Message{Role: session.Role(in.Role), Content: in.Content}
	set((*anyObject)(&m.Metadata), in.Metadata)
	found, err := s.Sessions.Append(r.Context(), s.Principal(r), in.ID, m)
	return viewOf(found), err
}

func (s *api) clearMessages(r *http.Request, in sessionID) (sessionView, error) {
	found, err := s.Sessions.Update(r.Context(), s.Principal(r), in.ID, func(to *session.Session) error {
		to.History = nil
		return nil
	})
	return viewOf(found), err
}
