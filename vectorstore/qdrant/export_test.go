package qdrant

import (
	"context"
	"time"

	qc "github.com/qdrant/go-client/qdrant"
)

// Drop deletes the collection of a configuration.
func Drop(ctx context.Context, cfg Config) error {
	client, err := dial(cfg.withDefaults())
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = client.Collections().Delete(ctx, &qc.DeleteCollection{CollectionName: cfg.withDefaults().Collection})
	return err
}

// SetPause replaces the waiting between attempts.
func (s *Store) SetPause(pause func(context.Context, time.Duration) error) { s.pause = pause }
