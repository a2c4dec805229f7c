package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Key is an API key with what is known of its holder.
type Key struct {
	Key     string    // 20 to 256 characters of printable ASCII without spaces, quotes and commas
	Name    string    // for logs; optional
	Scopes  []string  // for RequireScopes; optional
	Expires time.Time // refused from then on; zero means never
}

// KeysConfig configures NewKeys. It needs a Secret and either Keys or a Store.
type KeysConfig struct {
	// Secret keys the digests under which the API keys are held, so that memory
	// and logs never have a key. At least 32 characters; see GenerateSecret.
	Secret string
	// Keys are the keys that are accepted; at least one, unless there is a Store.
	// See GenerateKey.
	Keys []Key
	// Store holds the keys instead, outside of the process.
	Store KeyStore
	// Open are requests that need no key: "METHOD /path" exactly, "GET /docs/" and
	// what is below it, "GET /files/{name}" with any one segment. GET stands for
	// HEAD too. Paths that are not clean ("//", "..", "%2F") are never open.
	Open []string
	// FailedPerMinute bounds the wrong keys from one address; what is over is
	// answered with 429 instead of 401, while right keys from the same address go
	// on working. 0 means 10; negative switches it off. Requests that carry no key,
	// or something that cannot be one, are refused without being counted.
	FailedPerMinute int
	// FailedLimiter counts wrong keys instead, for replicas.
	FailedLimiter Limiter
	// Client finds the address of the client. nil means the peer of the connection.
	Client *Client
	// Refuse writes refusals. nil means JSON.
	Refuse RefuseFunc
	// Log is told when Store or FailedLimiter fail, at most every ten seconds.
	// nil means silence.
	Log *slog.Logger
}

// Keys checks API keys. It is safe for concurrent use.
type Keys struct {
	hashers  sync.Pool
	table    atomic.Pointer[keyTable] // nil if there is a store
	store    KeyStore
	open     routes
	failed   Limiter
	client   *Client
	refuse   RefuseFunc
	log      *slog.Logger
	complain rate.Sometimes
}

// keyTable finds keys by the beginning of their digests, which is also what
// principals are told apart by.
type keyTable map[uint64]*holder

const (
	minKey          = 20
	maxKey          = 256
	minSecret       = 32
	defaultAttempts = 10
)

// NewKeys checks the configuration and returns the key check. The error joins
// a *ConfigError for each mistake.
func NewKeys(cfg KeysConfig) (*Keys, error) {
	var wrong mistakes
	checkSecret("KeysConfig.Secret", cfg.Secret, &wrong)
	k := &Keys{store: cfg.Store, client: cfg.Client, refuse: refuseWith(cfg.Refuse), failed: cfg.FailedLimiter,
		log: logTo(cfg.Log), complain: rate.Sometimes{Interval: 10 * time.Second}}
	secret := []byte(cfg.Secret)
	k.hashers.New = func() any { return &hasher{Hash: hmac.New(sha256.New, secret)} }
	if cfg.Store == nil {
		k.table.Store(k.newTable(cfg.Keys, &wrong))
	} else if len(cfg.Keys) > 0 {
		wrong.add("KeysConfig.Keys", ErrConflict, "must be empty where there is a Store; put the keys into it")
	}
	k.open = newRoutes("KeysConfig.Open", cfg.Open, &wrong)
	if err := wrong.err(); err != nil {
		return nil, err
	}
	if cfg.FailedPerMinute == 0 {
		cfg.FailedPerMinute = defaultAttempts
	}
	if k.failed == nil && cfg.FailedPerMinute > 0 {
		k.failed = NewMemoryLimiter(cfg.FailedPerMinute, cfg.FailedPerMinute)
	}
	return k, nil
}

// APIKeys is NewKeys for keys that stay: it returns the middleware alone.
func APIKeys(cfg KeysConfig) (Middleware, error) {
	k, err := NewKeys(cfg)
	if err != nil {
		return nil, err
	}
	return k.Middleware(), nil
}

// ErrHasStore is what Rotate returns where a KeyStore holds the keys.
var ErrHasStore = errors.New("auth: the keys are in the KeyStore; change them there")

// Rotate replaces all keys at once, while requests are served. After an error
// the old ones stay. To retire a key without a gap, rotate in the new one beside
// the old one with Expires set.
func (k *Keys) Rotate(keys ...Key) error {
	if k.store != nil {
		return ErrHasStore
	}
	var wrong mistakes
	table := k.newTable(keys, &wrong)
	if err := wrong.err(); err != nil {
		return err
	}
	k.table.Store(table)
	return nil
}

func (k *Keys) newTable(keys []Key, wrong *mistakes) *keyTable {
	if len(keys) == 0 {
		wrong.add("KeysConfig.Keys", ErrMissing, "must not be empty; make a key with GenerateKey")
	}
	table := make(keyTable, len(keys))
	held := make([]holder, len(keys)) // one object, because the collector looks at each
	for i, key := range keys {
		if !checkKey("KeysConfig.Keys", i, key.Key, wrong) {
			continue
		}
		d := k.digest(key.Key)
		if _, twice := table[d.prefix()]; twice {
			wrong.addElement("KeysConfig.Keys", i, "", ErrDuplicate, "key %d is there twice", i+1)
			continue
		}
		held[i] = keyHolder(KeyRecord{Digest: d, Name: key.Name, Scopes: key.Scopes, Expires: key.Expires})
		table[d.prefix()] = &held[i]
	}
	return &table
}

func keyHolder(r KeyRecord) holder {
	h := newHolder(Principal{ID: r.Digest.principalID(), Name: r.Name, Scopes: r.Scopes})
	h.digest, h.expires = r.Digest, r.Expires
	return h
}

// checkSecret notes what is wrong with a secret, without saying it.
func checkSecret(setting, secret string, wrong *mistakes) {
	if isPlaceholder(secret) {
		wrong.add(setting, ErrPlaceholder, "is a placeholder; make one with GenerateSecret")
	} else if len(secret) < minSecret {
		wrong.add(setting, ErrOutOfRange, "must have at least %d characters; make one with GenerateSecret", minSecret)
	}
}

// checkKey notes what is wrong with a key, without saying it.
func checkKey(setting string, i int, key string, wrong *mistakes) bool {
	switch {
	case isPlaceholder(key):
		wrong.addElement(setting, i, "", ErrPlaceholder, "key %d is a placeholder; make one with GenerateKey", i+1)
	case len(key) < minKey || len(key) > maxKey:
		wrong.addElement(setting, i, "", ErrOutOfRange, "key %d has %d characters; keys have %d to %d", i+1, len(key), minKey, maxKey)
	case !printable(key):
		wrong.addElement(setting, i, "", ErrInvalid, "key %d has a space, a quote, a comma, or a character that is not printable ASCII", i+1)
	default:
		return true
	}
	return false
}

// isPlaceholder recognises what people forget to replace.
func isPlaceholder(s string) bool {
	lower := strings.ToLower(s)
	for _, part := range []string{"paste_", "your_", "your-", "change_me", "changeme", "change-me", "placeholder", "second_key_if_needed", "example-key"} {
		if strings.Contains(lower, part) {
			return true
		}
	}
	return s != "" && strings.Count(s, s[:1]) == len(s) // "xxxxxxxx"
}

func printable(s string) bool {
	for i := range len(s) {
		if !keyCharacter[s[i]] {
			return false
		}
	}
	return true
}

var keyCharacter = func() (is [256]bool) {
	for c := '!'; c <= '~'; c++ {
		is[c] = c != '"' && c != '\'' && c != ','
	}
	return is
}()

// hasher is an HMAC with room for its result and input.
type hasher struct {
	hash.Hash
	key    [maxKey]byte
	result []byte
}

// digest returns the digest of a key of at most maxKey characters.
func (k *Keys) digest(key string) (d Digest) {
	h := k.hashers.Get().(*hasher)
	h.Reset()
	h.Write(h.key[:copy(h.key[:], key)])
	h.result = h.Sum(h.result[:0])
	copy(d[:], h.result)
	clear(h.key[:len(key)])
	k.hashers.Put(h)
	return d
}

// Lookup returns the principal of a key. It takes the same time for every wrong
// key of the same length, however many keys there are. The error is
// ErrUnknownKey if the key is wrong or has expired, else the KeyStore's.
func (k *Keys) Lookup(ctx context.Context, key string) (Principal, error) {
	h, err := k.lookup(ctx, key)
	if err != nil {
		return Principal{}, err
	}
	return h.principal(), nil
}

func (k *Keys) lookup(ctx context.Context, key string) (*holder, error) {
	if len(key) < minKey || len(key) > maxKey {
		return nil, ErrUnknownKey
	}
	d := k.digest(key)
	held, err := k.find(ctx, d)
	if err != nil {
		return nil, err
	}
	// Finding compares digests, which say nothing about keys without the secret;
	// the comparison that decides is in constant time all the same.
	if held == nil || subtle.ConstantTimeCompare(held.digest[:], d[:]) != 1 {
		return nil, ErrUnknownKey
	}
	if !held.expires.IsZero() && !time.Now().Before(held.expires) {
		return nil, ErrUnknownKey
	}
	return held, nil
}

// find returns the key with a digest, nil if there is none.
func (k *Keys) find(ctx context.Context, d Digest) (*holder, error) {
	if k.store == nil {
		return (*k.table.Load())[d.prefix()], nil
	}
	record, err := k.store.FindKey(ctx, d)
	if errors.Is(err, ErrUnknownKey) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	h := keyHolder(record)
	return &h, nil
}

// GenerateKey returns a new API key: "api-key-" and 32 random bytes in URL-safe
// base64.
func GenerateKey() string {
	for {
		var b [32]byte
		rand.Read(b[:]) // never fails
		key := "api-key-" + base64.RawURLEncoding.EncodeToString(b[:])
		if !isPlaceholder(key) { // one in a million spells "your-"
			return key
		}
	}
}

// GenerateSecret returns a new secret: 32 random bytes in hexadecimal.
func GenerateSecret() string {
	var b [32]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func logTo(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return log
}
