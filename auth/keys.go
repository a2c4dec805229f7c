package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// Key is an API key with what is known of its holder.
type Key struct {
	Key    string   // 20 to 256 characters of printable ASCII without spaces
	Name   string   // for logs; optional
	Scopes []string // optional
}

// Principal is who a request comes from.
type Principal struct {
	// ID is the same for the same key and secret, and says nothing about the key:
	// 16 hexadecimal characters of its keyed digest.
	ID     string
	Name   string
	Scopes []string
}

type principalKey struct{}

// PrincipalFrom returns the principal of a request that passed Keys.
func PrincipalFrom(ctx context.Context) (Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(*Principal)
	if !ok {
		return Principal{}, false
	}
	return *p, true
}

// KeysConfig configures NewKeys.
type KeysConfig struct {
	// Secret keys the digests under which the API keys are held, so that memory
	// and logs never have a key. At least 32 characters; see GenerateSecret.
	Secret string
	// Keys are the keys that are accepted; at least one. See GenerateKey.
	Keys []Key
	// Open are requests that need no key, as "METHOD /path", compared exactly. GET
	// stands for HEAD too.
	Open []string
	// FailedPerMinute bounds the wrong keys from one address; what is over is
	// answered with 429 instead of 401, while right keys from the same address go
	// on working. 0 means 10; negative switches it off.
	FailedPerMinute int
	// Client finds the address of the client. nil means the peer of the connection.
	Client *Client
	// Refuse writes refusals. nil means JSON.
	Refuse RefuseFunc
}

// Keys checks API keys. It is safe for concurrent use.
type Keys struct {
	hashers sync.Pool
	table   atomic.Pointer[map[digest]*holder]
	open    map[string]bool
	failed  Limiter
	client  *Client
	refuse  RefuseFunc
}

type digest = [sha256.Size]byte

// holder is a principal with the digest of its key, for the comparison in
// constant time.
type holder struct {
	Principal
	digest digest
}

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
	if len(cfg.Secret) < minSecret {
		wrong.add("KeysConfig.Secret", "must have at least %d characters; make one with GenerateSecret", minSecret)
	} else if isPlaceholder(cfg.Secret) {
		wrong.add("KeysConfig.Secret", "is a placeholder; make one with GenerateSecret")
	}
	k := &Keys{open: make(map[string]bool), client: cfg.Client, refuse: refuseWith(cfg.Refuse)}
	for _, pattern := range cfg.Open {
		method, path, ok := strings.Cut(pattern, " ")
		if !ok || !strings.HasPrefix(path, "/") || method == "" {
			wrong.add("KeysConfig.Open", "%q must be like \"GET /health\"", pattern)
		}
		k.open[pattern] = true
		if method == http.MethodGet {
			k.open[http.MethodHead+" "+path] = true
		}
	}
	secret := []byte(cfg.Secret)
	k.hashers.New = func() any { return &hasher{Hash: hmac.New(sha256.New, secret)} }
	if err := k.Rotate(cfg.Keys...); err != nil {
		wrong = append(wrong, err)
	}
	if err := wrong.err(); err != nil {
		return nil, err
	}
	if cfg.FailedPerMinute == 0 {
		cfg.FailedPerMinute = defaultAttempts
	}
	if cfg.FailedPerMinute > 0 {
		k.failed = NewMemoryLimiter(cfg.FailedPerMinute, cfg.FailedPerMinute)
	}
	return k, nil
}

// hasher is an HMAC with room for its result and input.
type hasher struct {
	hash.Hash
	key    [maxKey]byte
	result []byte
}

func (k *Keys) digest(key string) (d digest) {
	h := k.hashers.Get().(*hasher)
	h.Reset()
	h.Write(h.key[:copy(h.key[:], key)])
	h.result = h.Sum(h.result[:0])
	copy(d[:], h.result)
	clear(h.key[:len(key)])
	k.hashers.Put(h)
	return d
}

// Rotate replaces all keys at once, while requests are served. After an error
// the old ones stay.
func (k *Keys) Rotate(keys ...Key) error {
	var wrong mistakes
	if len(keys) == 0 {
		wrong.add("KeysConfig.Keys", "must not be empty; make a key with GenerateKey")
	}
	table := make(map[digest]*holder, len(keys))
	for i, key := range keys {
		switch {
		case isPlaceholder(key.Key):
			wrong.add("KeysConfig.Keys", "key %d is a placeholder; make one with GenerateKey", i+1)
			continue
		case len(key.Key) < minKey || len(key.Key) > maxKey:
			wrong.add("KeysConfig.Keys", "key %d has %d characters; keys have %d to %d", i+1, len(key.Key), minKey, maxKey)
			continue
		case !printable(key.Key):
			wrong.add("KeysConfig.Keys", "key %d has a space, a quote, or a character that is not printable ASCII", i+1)
			continue
		}
		d := k.digest(key.Key)
		if _, twice := table[d]; twice {
			wrong.add("KeysConfig.Keys", "key %d is there twice", i+1)
			continue
		}
		table[d] = &holder{digest: d, Principal: Principal{ID: hex.EncodeToString(d[:8]), Name: key.Name, Scopes: key.Scopes}}
	}
	if err := wrong.err(); err != nil {
		return err
	}
	k.table.Store(&table)
	return nil
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
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || c == '"' || c == '\'' || c == ',' {
			return false
		}
	}
	return true
}

// Lookup returns the principal of a key. It takes the same time for every wrong
// key of the same length, however many keys there are.
func (k *Keys) Lookup(key string) (Principal, bool) {
	h := k.lookup(key)
	if h == nil {
		return Principal{}, false
	}
	return h.Principal, true
}

func (k *Keys) lookup(key string) *holder {
	if len(key) < minKey || len(key) > maxKey {
		return nil
	}
	d := k.digest(key)
	// The map compares digests, which say nothing about keys without the secret;
	// the comparison that decides is in constant time all the same.
	h := (*k.table.Load())[d]
	if h == nil || subtle.ConstantTimeCompare(h.digest[:], d[:]) != 1 {
		return nil
	}
	return h
}

// Middleware lets requests with a right key pass, with their Principal in the
// context. The key is in X-API-Key or in "Authorization: Bearer"; a request with
// several different ones is refused. The body is not read.
func (k *Keys) Middleware() Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if k.isOpen(r) {
				next.ServeHTTP(w, r)
				return
			}
			var h *holder
			if key, ok := presented(r.Header); ok {
				h = k.lookup(key)
			}
			if h == nil {
				k.refuseKey(w, r)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), principalKey{}, &h.Principal)))
		})
	}
}

func (k *Keys) isOpen(r *http.Request) bool {
	return len(k.open) > 0 && k.open[r.Method+" "+r.URL.Path]
}

// presented returns the one key of a request.
func presented(h http.Header) (key string, ok bool) {
	direct, bearer := h["X-Api-Key"], h["Authorization"]
	if len(direct) > 1 || len(bearer) > 1 || len(direct)+len(bearer) == 0 {
		return "", false
	}
	if len(direct) == 1 {
		key = direct[0]
	}
	if len(bearer) == 1 {
		scheme, token, _ := strings.Cut(bearer[0], " ")
		if !strings.EqualFold(scheme, "Bearer") || len(direct) == 1 && token != key {
			return "", false
		}
		key = token
	}
	return key, key != ""
}

// refuseKey answers 401, or 429 to an address with too many wrong keys.
func (k *Keys) refuseKey(w http.ResponseWriter, r *http.Request) {
	closeAfter(w, r)
	if k.failed != nil {
		d, err := k.failed.Allow(r.Context(), addressKey(k.client.Address(r)))
		if err == nil && !d.Allowed {
			setRetryAfter(w.Header(), d)
			k.refuse(w, r, Refusal{http.StatusTooManyRequests, "rate_limited", "there were too many wrong API keys from this address; try again later"})
			return
		}
	}
	w.Header().Set("WWW-Authenticate", "ApiKey")
	k.refuse(w, r, Refusal{http.StatusUnauthorized, "unauthorized", "a valid API key is needed in the header X-API-Key or Authorization: Bearer"})
}

// GenerateKey returns a new API key: "api-key-" and 32 random bytes in URL-safe
// base64.
func GenerateKey() string {
	var b [32]byte
	rand.Read(b[:]) // never fails
	return "api-key-" + base64.RawURLEncoding.EncodeToString(b[:])
}

// GenerateSecret returns a new secret: 32 random bytes in hexadecimal.
func GenerateSecret() string {
	var b [32]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
