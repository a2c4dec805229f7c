package auth_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/auth"
)

// storeOf is a KeyStore.
type storeOf map[auth.Digest]auth.KeyRecord

func (s storeOf) FindKey(_ context.Context, d auth.Digest) (auth.KeyRecord, error) {
	r, ok := s[d]
	if !ok {
		return auth.KeyRecord{}, auth.ErrUnknownKey
	}
	return r, nil
}

// storeFunc is a KeyStore too.
type storeFunc func(auth.Digest) (auth.KeyRecord, error)

func (f storeFunc) FindKey(_ context.Context, d auth.Digest) (auth.KeyRecord, error) { return f(d) }

func withStore(s auth.KeyStore, log *slog.Logger) func(*auth.KeysConfig) {
	return func(c *auth.KeysConfig) { c.Keys, c.Store, c.Log = nil, s, log }
}

func TestKeyStore(t *testing.T) {
	digest, err := auth.DigestKey(secret, key)
	require.NoError(t, err)
	store := storeOf{digest: {Digest: digest, Name: "stored", Scopes: []string{"read"}}}
	k := keys(t, withStore(store, nil))
	h := k.Middleware()(served)
	w := do(h, "GET", "/", http.Header{"X-API-Key": {key}})
	require.Equal(t, 200, w.Code)
	require.Equal(t, "stored", w.Body.String())
	inMemory, err := keys(t, nil).Lookup(t.Context(), key)
	require.NoError(t, err)
	fromStore, err := k.Lookup(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, inMemory.ID, fromStore.ID, "a principal stays the same when its key moves to a store")
	require.ErrorIs(t, k.Rotate(auth.Key{Key: key}), auth.ErrHasStore)
	delete(store, digest)
	require.Equal(t, 401, do(h, "GET", "/", http.Header{"X-API-Key": {key}}).Code, "removed keys stop at once")
}

func TestKeyStoreIsNotAskedForWhatCannotBeAKey(t *testing.T) {
	asked := 0
	h := keys(t, withStore(storeFunc(func(auth.Digest) (auth.KeyRecord, error) {
		asked++
		return auth.KeyRecord{}, auth.ErrUnknownKey
	}), nil)).Middleware()(served)
	for _, header := range []http.Header{nil, {"X-API-Key": {""}}, {"X-API-Key": {"short"}}, {"X-API-Key": {strings.Repeat("k", 257)}},
		{"X-API-Key": {key, key}}, {"X-API-Key": {key + "\x00"}}, {"X-API-Key": {key}, "Authorization": {"Bearer " + key + "2"}}} {
		require.Equal(t, 401, do(h, "GET", "/", header).Code)
	}
	require.Zero(t, asked)
	require.Equal(t, 401, do(h, "GET", "/", http.Header{"X-API-Key": {key}}).Code)
	require.Equal(t, 1, asked)
}

func TestKeyStoreThatFails(t *testing.T) {
	var log strings.Builder
	h := keys(t, withStore(storeFunc(func(auth.Digest) (auth.KeyRecord, error) {
		return auth.KeyRecord{}, errors.New("connection refused")
	}), slog.New(slog.NewTextHandler(&log, nil)))).Middleware()(served)
	for range 3 {
		w := do(h, "GET", "/", http.Header{"X-API-Key": {key}})
		require.Equal(t, 503, w.Code, "nobody gets in while keys cannot be checked")
		require.NotContains(t, w.Body.String(), "connection refused")
	}
	require.Equal(t, 1, strings.Count(log.String(), "connection refused"))
	require.NotContains(t, log.String(), key)
}

func TestKeyStoreThatComparesLoosely(t *testing.T) {
	digest, err := auth.DigestKey(secret, key)
	require.NoError(t, err)
	h := keys(t, withStore(storeFunc(func(auth.Digest) (auth.KeyRecord, error) {
		return auth.KeyRecord{Digest: digest}, nil // whatever was asked for
	}), nil)).Middleware()(served)
	require.Equal(t, 200, do(h, "GET", "/", http.Header{"X-API-Key": {key}}).Code)
	require.Equal(t, 401, do(h, "GET", "/", http.Header{"X-API-Key": {key + "2"}}).Code)
}

func TestDigest(t *testing.T) {
	d, err := auth.DigestKey(secret, key)
	require.NoError(t, err)
	again, err := auth.ParseDigest(d.String())
	require.NoError(t, err)
	require.Equal(t, d, again)
	for _, s := range []string{"", "00", strings.Repeat("g", 64), d.String() + "00"} {
		_, err := auth.ParseDigest(s)
		require.Error(t, err, s)
	}
}

func TestExpiry(t *testing.T) {
	digest, err := auth.DigestKey(secret, key)
	require.NoError(t, err)
	for name, change := range map[string]func(*auth.KeysConfig, time.Time){
		"list": func(c *auth.KeysConfig, at time.Time) { c.Keys[0].Expires = at },
		"store": func(c *auth.KeysConfig, at time.Time) {
			withStore(storeOf{digest: {Digest: digest, Expires: at}}, nil)(c)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				at := time.Now().Add(time.Hour)
				h := keys(t, func(c *auth.KeysConfig) { change(c, at) }).Middleware()(served)
				time.Sleep(time.Hour - time.Nanosecond)
				require.Equal(t, 200, do(h, "GET", "/", http.Header{"X-API-Key": {key}}).Code)
				time.Sleep(time.Nanosecond)
				require.Equal(t, 401, do(h, "GET", "/", http.Header{"X-API-Key": {key}}).Code)
			})
		})
	}
}
