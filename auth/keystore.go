package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Digest is the HMAC-SHA-256 of an API key under the secret. It is what is
// stored: without the secret it can be neither guessed nor checked.
type Digest [sha256.Size]byte

// String returns the digest as 64 hexadecimal characters.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// ParseDigest reads what String returned.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	if len(s) != hex.EncodedLen(len(d)) {
		return d, fmt.Errorf("auth: a digest has %d hexadecimal characters, not %d", hex.EncodedLen(len(d)), len(s))
	}
	if _, err := hex.Decode(d[:], []byte(s)); err != nil {
		return Digest{}, errors.New("auth: a digest has hexadecimal characters only")
	}
	return d, nil
}

// DigestKey returns what a KeyStore holds for a key, for the program that adds
// keys to it. The error joins a *ConfigError for each mistake and holds neither
// the secret nor the key.
func DigestKey(secret, key string) (Digest, error) {
	var wrong mistakes
	checkSecret("secret", secret, &wrong)
	checkKey("key", 0, key, &wrong)
	if err := wrong.err(); err != nil {
		return Digest{}, err
	}
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(key))
	return Digest(h.Sum(nil)), nil
}

func (d Digest) prefix() uint64 { return binary.BigEndian.Uint64(d[:]) }

// principalID is how a principal is named in logs: enough of the digest to tell
// principals apart.
func (d Digest) principalID() string { return fmt.Sprintf("%016x", d.prefix()) }

// KeyRecord is what a KeyStore knows of a key.
type KeyRecord struct {
	Digest  Digest    // of the key; see DigestKey
	Name    string    // of its holder, for logs; optional
	Scopes  []string  // optional
	Expires time.Time // refused from then on; zero means never
}

// ErrUnknownKey is what a KeyStore returns for a digest that it does not hold.
var ErrUnknownKey = errors.New("auth: unknown API key")

// KeyStore finds keys by their digests, in a database for example. Adding and
// removing keys is the store's own matter and takes effect with the next request.
// It is asked for each request that carries a possible key, so one that is far
// away should remember what it found for as long as a removed key may still work.
// Implementations are safe for concurrent use.
type KeyStore interface {
	// FindKey returns the record with the digest, or an error that is ErrUnknownKey.
	// Other errors mean that the store could not tell: the request is refused with
	// 503. The record's digest is compared again, in constant time, so that a store
	// that compares loosely lets nobody in.
	FindKey(ctx context.Context, d Digest) (KeyRecord, error)
}
