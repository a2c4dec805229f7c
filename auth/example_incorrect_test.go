package auth_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/api-assistant/api-assistant/auth"
)

// Configurations that cannot be meant are refused, all mistakes at once, and the
// error holds no secret.
func ExampleNewKeys_incorrectKeys() {
	_, err := auth.NewKeys(auth.KeysConfig{Secret: "hunter2", Keys: []auth.Key{{Key: "api-key-PASTE_YOUR_KEYS_HERE"}, {Key: "short"},
		{Key: key}, {Key: key}, {Key: "with a space in between, it never matches"}}})
	fmt.Println(err)
	// Output:
	// auth: KeysConfig.Secret: must have at least 32 characters; make one with GenerateSecret
	// auth: KeysConfig.Keys: key 1 is a placeholder; make one with GenerateKey
	// auth: KeysConfig.Keys: key 2 has 5 characters; keys have 20 to 256
	// auth: KeysConfig.Keys: key 4 is there twice
	// auth: KeysConfig.Keys: key 5 has a space, a quote, a comma, or a character that is not printable ASCII
}

func ExampleNewKeys_incorrectSecret() {
	_, err := auth.NewKeys(auth.KeysConfig{Secret: "change_me_change_me_change_me_change_me"})
	fmt.Println(err)
	// Output:
	// auth: KeysConfig.Secret: is a placeholder; make one with GenerateSecret
	// auth: KeysConfig.Keys: must not be empty; make a key with GenerateKey
}

func ExampleNewKeys_incorrectStoreAndKeys() {
	_, err := auth.NewKeys(auth.KeysConfig{Secret: secret, Keys: []auth.Key{{Key: key}}, Store: storeOf{}})
	fmt.Println(err)
	// Output:
	// auth: KeysConfig.Keys: must be empty where there is a Store; put the keys into it
}

func ExampleNewKeys_incorrectOpen() {
	_, err := auth.NewKeys(auth.KeysConfig{Secret: secret, Keys: []auth.Key{{Key: key}},
		Open: []string{"/health", "GET /", "GET /{rest...}", "get /health", "GET /a/../b", "GET /files/{name}.txt"}})
	fmt.Println(err)
	// Output:
	// auth: KeysConfig.Open: "/health" must be like "GET /health"
	// auth: KeysConfig.Open: "GET /" matches every path; the root alone is "GET /{$}"
	// auth: KeysConfig.Open: "GET /{rest...}" matches every path; the root alone is "GET /{$}"
	// auth: KeysConfig.Open: "get /health" must be like "GET /health"
	// auth: KeysConfig.Open: "GET /a/../b" must be like "GET /health"
	// auth: KeysConfig.Open: "GET /files/{name}.txt" has braces that are not a whole segment, as in "GET /files/{name}"
}

func ExampleKeys_Rotate_incorrect() {
	k, err := auth.NewKeys(auth.KeysConfig{Secret: secret, Keys: []auth.Key{{Key: key}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(k.Rotate()) // the old keys stay
	// Output: auth: KeysConfig.Keys: must not be empty; make a key with GenerateKey
}

func ExampleCORS_incorrectOrigins() {
	_, err := auth.CORS(auth.CORSConfig{Origins: []string{"null", "https://app.example.com/", "https://App.example.com", "app.example.com",
		"https://example.com:443", "https://*.com", "https://a.*.example.com", "https://bücher.example", "file://", "http://localhost:03000", "http://[0:0:0:0:0:0:0:1]"}})
	fmt.Println(err)
	// Output:
	// auth: CORSConfig.Origins: "null" is sent by sandboxed pages of anybody; it cannot be allowed
	// auth: CORSConfig.Origins: "https://app.example.com/" must have no path, query or user, also no slash at the end
	// auth: CORSConfig.Origins: "https://App.example.com" must be in lower case, as browsers send it
	// auth: CORSConfig.Origins: "app.example.com" must begin with http:// or https://
	// auth: CORSConfig.Origins: "https://example.com:443" must leave the scheme's own port out, as browsers do
	// auth: CORSConfig.Origins: "https://*.com" allows everybody below a top-level domain; name the domain, as in https://*.example.com
	// auth: CORSConfig.Origins: "https://a.*.example.com" may have one star only, for the first label, as in https://*.example.com
	// auth: CORSConfig.Origins: "https://bücher.example" has a host name with characters that no host name has; write other scripts as browsers send them, xn--…
	// auth: CORSConfig.Origins: "file://" must begin with http:// or https://
	// auth: CORSConfig.Origins: "http://localhost:03000" has a port that is not a number from 1 to 65535
	// auth: CORSConfig.Origins: "http://[0:0:0:0:0:0:0:1]" must have the IPv6 address as browsers send it: [::1]
}

func ExampleCORS_incorrectCredentials() {
	_, err := auth.CORS(auth.CORSConfig{Credentials: true, Origins: []string{"*", "http://app.example.com", "http://localhost:3000"}})
	fmt.Println(err)
	// Output:
	// auth: CORSConfig.Origins: "*" with credentials would let every web page act for your users; list the origins
	// auth: CORSConfig.Origins: "http://app.example.com" with credentials would let everybody on the way act for your users; use https
}

func ExampleCORS_incorrectRest() {
	_, err := auth.CORS(auth.CORSConfig{Origins: []string{"*", "https://app.example.com"}, Methods: []string{"patch", "TRACE", "*", "G T"},
		Headers: []string{"*", "Cookie", "Sec-Fetch-Site", "X API"}, Expose: []string{"Set-Cookie", "*"}, MaxAge: 48 * time.Hour})
	fmt.Println(err)
	// Output:
	// auth: CORSConfig.Origins: "*" allows every page, so the other origins say nothing; leave one or the other out
	// auth: CORSConfig.Methods: "patch" must be in upper case, as handlers know it
	// auth: CORSConfig.Methods: "TRACE" is a method that browsers let no page use
	// auth: CORSConfig.Methods: "*" is not supported; list the methods
	// auth: CORSConfig.Methods: "G T" is not a method
	// auth: CORSConfig.Headers: "*" is not supported; list the headers
	// auth: CORSConfig.Headers: "Cookie" is a header that browsers keep from pages
	// auth: CORSConfig.Headers: "Sec-Fetch-Site" is a header that browsers keep from pages
	// auth: CORSConfig.Headers: "X API" is not the name of a header
	// auth: CORSConfig.Expose: "Set-Cookie" is a header that browsers keep from pages
	// auth: CORSConfig.Expose: "*" is not supported; list the headers
	// auth: CORSConfig.MaxAge: is 48h0m0s; it must be whole seconds, at most 24h0m0s
}

func ExampleRateLimit_incorrect() {
	_, err := auth.RateLimit(auth.RateLimitConfig{PerMinute: -1, Exempt: []string{"GET /"}})
	fmt.Println(err)
	// Output:
	// auth: RateLimitConfig.PerMinute: is -1, it must be at least 1
	// auth: RateLimitConfig.Burst: is 0, it must be at least 1
	// auth: RateLimitConfig.Exempt: "GET /" matches every path; the root alone is "GET /{$}"
}

func ExampleNewClient_incorrect() {
	_, err := auth.NewClient("0.0.0.0/0", "proxy.local", "10.0.0.0/8")
	fmt.Println(err)
	// Output:
	// auth: TrustedProxies: "0.0.0.0/0" trusts everybody, or nearly; name the proxies
	// auth: TrustedProxies: "proxy.local" is neither an address nor a prefix like 10.0.0.0/8
}

func ExampleDigestKey_incorrect() {
	_, err := auth.DigestKey("short", "api-key")
	fmt.Println(err)
	// Output:
	// auth: secret: must have at least 32 characters; make one with GenerateSecret
	// auth: key: key 1 has 7 characters; keys have 20 to 256
}

// Programs that speak to people in other words go through the mistakes.
func ExampleConfigErrors() {
	_, err := auth.CORS(auth.CORSConfig{Origins: []string{"https://app.example.com", "null"}, MaxAge: time.Millisecond})
	for e := range auth.ConfigErrors(fmt.Errorf("starting: %w", err)) {
		fmt.Println(e.Setting, e.Index, e.Value, errors.Is(e, auth.ErrUnsafe))
	}
	// Output:
	// CORSConfig.Origins 1 null true
	// CORSConfig.MaxAge -1  false
}
