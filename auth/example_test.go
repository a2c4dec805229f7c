package auth_test

import (
	"fmt"
	"net/http"
	"time"

	"github.com/api-assistant/api-assistant/auth"
)

func Example() {
	k, err := auth.NewKeys(auth.KeysConfig{Secret: secret, Keys: []auth.Key{{Key: key, Name: "frontend"}}, Open: []string{"GET /health"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	cors, err := auth.CORS(auth.CORSConfig{Origins: []string{"https://app.example.com"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	limit, err := auth.RateLimit(auth.RateLimitConfig{PerMinute: 60, Burst: 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	h := auth.Chain(served, auth.Recover(nil), auth.SecurityHeaders(), cors, k.Middleware(), limit, auth.MaxBody(1<<20, nil))
	fmt.Println(do(h, "GET", "/orders", nil).Code)
	w := do(h, "GET", "/orders", http.Header{"X-API-Key": {key}})
	fmt.Println(w.Code, w.Body, "remaining:", w.Header().Get("RateLimit-Remaining"))
	// Output:
	// 401
	// 200 frontend remaining: 19
}

// A key is replaced without a gap: the new one comes in beside the old one, which
// ends by itself.
func ExampleKeys_Rotate() {
	k, err := auth.NewKeys(auth.KeysConfig{Secret: secret, Keys: []auth.Key{{Key: key, Name: "frontend"}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	next := auth.GenerateKey()
	err = k.Rotate(auth.Key{Key: next, Name: "frontend"}, auth.Key{Key: key, Name: "frontend", Expires: time.Now().Add(24 * time.Hour)})
	fmt.Println(err)
	h := k.Middleware()(served)
	fmt.Println(do(h, "GET", "/", http.Header{"X-API-Key": {key}}).Code, do(h, "GET", "/", http.Header{"X-API-Key": {next}}).Code)
	// Output:
	// <nil>
	// 200 200
}

// Keys in a database: it holds digests, so that a copy of it lets nobody in.
func ExampleKeyStore() {
	digest, err := auth.DigestKey(secret, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	store := storeOf{digest: {Digest: digest, Name: "frontend", Scopes: []string{"orders:read"}}}
	protect, err := auth.APIKeys(auth.KeysConfig{Secret: secret, Store: store})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(do(protect(served), "GET", "/", http.Header{"Authorization": {"Bearer " + key}}).Body)
	// Output: frontend
}

func ExampleRequireScopes() {
	k, err := auth.NewKeys(auth.KeysConfig{Secret: secret, Keys: []auth.Key{{Key: key, Scopes: []string{"orders:read"}}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("GET /orders", auth.RequireScopes([]string{"orders:read"}, nil)(served))
	mux.Handle("POST /orders", auth.RequireScopes([]string{"orders:write"}, nil)(served))
	h := k.Middleware()(mux)
	fmt.Println(do(h, "GET", "/orders", http.Header{"X-API-Key": {key}}).Code, do(h, "POST", "/orders", http.Header{"X-API-Key": {key}}).Code)
	// Output: 200 403
}

// The programs that make keys and secrets need no other tool.
func ExampleGenerateKey() {
	fmt.Println(len(auth.GenerateKey()), len(auth.GenerateSecret()))
	// Output: 51 64
}
