package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/redis/go-redis/v9"

	"github.com/api-assistant/api-assistant/assistant/redissession"
	"github.com/api-assistant/api-assistant/assistant/session"
	"github.com/api-assistant/api-assistant/auth"
)

// The values of SESSION_STORE.
const (
	sessionsMemory = "memory"
	sessionsFile   = "file"  // in the data directory
	sessionsRedis  = "redis" // which replicas share
)

// sessionsName is the file of the sessions; no collection's file ends like this.
const sessionsName = "sessions.bolt"

// openSessions opens the store of the sessions. The caller closes it.
func openSessions(cfg config) (session.Store, error) {
	switch cfg.SessionStore {
	case sessionsRedis:
		options, err := redis.ParseURL(cfg.RedisURL)
		if err != nil {
			return nil, errRedisURL
		}
		client := redis.NewClient(options)
		return redisSessions{redissession.New(client, session.Options{}), client}, nil
	case sessionsFile:
		if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
			return nil, fmt.Errorf("SESSION_STORE=file: %w", err)
		}
		s, err := session.OpenFile(filepath.Join(cfg.DataDir, sessionsName), session.Options{})
		if err != nil {
			return nil, fmt.Errorf("SESSION_STORE=file: %w", err)
		}
		return s, nil
	}
	return session.NewMemory(session.Options{}), nil
}

// redisSessions closes its client, too.
type redisSessions struct {
	session.Store
	client *redis.Client
}

func (s redisSessions) Close() error {
	_ = s.Store.Close() // has nothing of its own
	return s.client.Close()
}

// principal is who owns the sessions that a request makes.
func principal(r *http.Request) string {
	p, _ := auth.PrincipalFrom(r.Context())
	return p.ID
}
