package qdrant

import (
	"context"
	"time"

	qc "github.com/qdrant/go-client/qdrant"

	"github.com/api-assistant/api-assistant/vectorstore"
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

// ParseURL says where a URL points.
func ParseURL(raw string) (string, error) {
	a, err := parseURL(raw)
	if err != nil {
		return "", err
	}
	if a.secure {
		return a.String() + " TLS", nil
	}
	return a.String() + " plain", nil
}

// EvaluatesHere reports whether a part of a filter is not left to the server.
func EvaluatesHere(f vectorstore.Filter) bool { return newPlan(f).local != nil }

// RoundTrip makes a payload of a record and reads it.
func RoundTrip(r vectorstore.Record) (vectorstore.Document, error) {
	p, err := (&Store{cfg: Config{}.withDefaults()}).point(r, "")
	if err != nil {
		return vectorstore.Document{}, err
	}
	return document(p.Payload)
}

// ReadPayload reads a payload.
func ReadPayload(id, metadata, data string) (vectorstore.Document, error) {
	return document(map[string]*qc.Value{keyID: qc.NewValueString(id), keyMetadata: qc.NewValueString(metadata), keyData: qc.NewValueString(data)})
}

// SetSnapshotBytes changes how much an iteration reads ahead, until restore.
func SetSnapshotBytes(n int) (restore func()) {
	old := snapshotBytes
	snapshotBytes = n
	return func() { snapshotBytes = old }
}
